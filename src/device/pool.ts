/** One GPUBuffer of the pool. Its `id` grows with creation and names it in bind-group keys. */
export interface Block {
  /** Serial number. */
  readonly id: number;
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Bytes of the GPUBuffer. */
  readonly capacity: number;
  /** Serial of the last recording that bound this block. */
  lastUse: number;
}

/**
 * A counted reference to a block: handles and saved tensors retain it, the last release gives the block back to the
 * pool.
 */
export class Storage {
  /** The block that holds the bytes. */
  readonly block: Block;
  /** Bytes asked for, rounded up to a multiple of 16 so that every storage can be read as `vec4`. */
  readonly bytes: number;
  #pool: BufferPool;
  #refs = 1;

  /** Made by {@linkcode BufferPool.allocate}. */
  constructor(pool: BufferPool, block: Block, bytes: number) {
    this.#pool = pool;
    this.block = block;
    this.bytes = bytes;
  }

  /** How many hold this storage; 1 means that its only holder may write in place. */
  get refs(): number {
    return this.#refs;
  }

  /** Adds a holder. */
  retain(): this {
    this.#refs++;
    return this;
  }

  /** Drops a holder; the last one gives the block back. */
  release(): void {
    if (--this.#refs === 0) this.#pool.free(this);
  }
}

/** Bytes and counts of a pool. */
export interface MemoryUsage {
  /** Bytes of the blocks in use. */
  readonly live: number;
  /** Largest `live` so far, since the last `resetPeak()`. */
  readonly peak: number;
  /** Bytes of the free blocks that wait for reuse. */
  readonly pooled: number;
}

/**
 * Hands out GPU buffers by size class and takes them back. A request gets the free block with the lowest id of its
 * class, so that the same sequence of requests from the same state gets the same buffers: bind groups are then found in
 * their cache from the second step on.
 */
export class BufferPool {
  #create: (bytes: number) => GPUBuffer;
  #free = new Map<number, Block[]>();
  #nextId = 1;
  #live = 0;
  #peak = 0;
  #pooled = 0;
  #created = 0;

  /** `create` makes a GPUBuffer of the given size. */
  constructor(create: (bytes: number) => GPUBuffer) {
    this.#create = create;
  }

  /** Buffers created so far. */
  get created(): number {
    return this.#created;
  }

  /** What is in use and what waits. */
  get usage(): MemoryUsage {
    return { live: this.#live, peak: this.#peak, pooled: this.#pooled };
  }

  /** Starts a new measurement of the peak. */
  resetPeak(): void {
    this.#peak = this.#live;
  }

  /** Takes a free block of the class of `bytes`, or makes one. */
  allocate(bytes: number): Storage {
    const rounded = Math.max(16, Math.ceil(bytes / 16) * 16);
    const capacity = sizeClass(rounded);
    let block = this.#free.get(capacity)?.shift();
    if (block) this.#pooled -= capacity;
    else block = this.#make(capacity);
    this.#live += capacity;
    this.#peak = Math.max(this.#peak, this.#live);
    return new Storage(this, block, rounded);
  }

  /** Takes the block of a storage back; called by the last {@linkcode Storage.release}. */
  free(storage: Storage): void {
    const { block } = storage;
    this.#live -= block.capacity;
    this.#pooled += block.capacity;
    let blocks = this.#free.get(block.capacity);
    if (!blocks) this.#free.set(block.capacity, blocks = []);
    insertById(blocks, block);
  }

  /** Destroys the free blocks. */
  trim(): void {
    for (const blocks of this.#free.values()) for (const block of blocks) block.buffer.destroy();
    this.#free.clear();
    this.#pooled = 0;
  }

  #make(capacity: number): Block {
    this.#created++;
    return { id: this.#nextId++, buffer: this.#create(capacity), capacity, lastUse: -1 };
  }
}

/** Rounds up to an eighth of a power of two: at most 12.5 % is wasted, and like sizes share blocks. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.max(4, Math.floor(Math.log2(bytes - 1)) - 3);
  return Math.ceil(bytes / step) * step;
}

function insertById(blocks: Block[], block: Block): void {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle]!.id < block.id) low = middle + 1;
    else high = middle;
  }
  blocks.splice(low, 0, block);
}
