/** One GPUBuffer of the pool. Its `id` grows with creation and names it in bind-group keys. */
export interface Block {
  /** Serial number. */
  readonly id: number;
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Bytes of the GPUBuffer. */
  readonly capacity: number;
  /** Serial of the last submit whose commands bound this block. */
  lastUse: number;
  /** The reserve that it belongs to, if any: it goes back there. */
  owner: Reserve | null;
}

/**
 * Blocks set apart: what is allocated while {@linkcode BufferPool.into} runs comes from here and goes back here, so that
 * recorded commands may use them again at any time.
 */
export class Reserve {
  /** Bytes of its blocks that are in use. */
  live = 0;
  /** Largest `live` since {@linkcode BufferPool.into} began. */
  peak = 0;
  /**
   * Free blocks.
   *
   * @internal
   */
  readonly free: FreeBlocks = new Map();
  /** True once {@linkcode BufferPool.dissolve} ended it. */
  dissolved = false;
}

/** Free blocks by size class, the lowest id first. */
type FreeBlocks = Map<number, Block[]>;

/**
 * A counted reference to a block: handles and saved tensors retain it, the last release gives the block back to the
 * pool.
 */
export class Storage {
  /** The block that holds the bytes. */
  readonly block: Block;
  /** Bytes asked for, rounded up to a multiple of 16 so that every storage can be read as `vec4`. */
  readonly bytes: number;
  /** The reserve that it was taken from, if any. */
  readonly owner: Reserve | null;
  /** True where no bytes were asked for. */
  readonly empty: boolean;
  /** How often it was written: what was saved of it before is out of date once this has grown. */
  version: number = 0;
  /** Serial of the submit that wrote it last; -1 before the first. */
  writtenBy: number = -1;
  #pool: BufferPool;
  #refs = 1;

  /** Made by {@linkcode BufferPool.allocate}. */
  constructor(pool: BufferPool, block: Block, bytes: number, empty: boolean) {
    this.#pool = pool;
    this.block = block;
    this.bytes = bytes;
    this.owner = block.owner;
    this.empty = empty;
  }

  /** How many hold this storage; 1 means that its only holder may write in place. */
  get refs(): number {
    return this.#refs;
  }

  /** Takes note that a submit writes it. */
  wrote(serial: number): void {
    this.version++;
    this.writtenBy = serial;
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
  /** Bytes of the free blocks that recorded steps keep for themselves. */
  readonly reserved: number;
}

/**
 * Hands out GPU buffers by size class and takes them back. A request gets the free block with the lowest id of its
 * class (a large one also of a class a little larger), so that the same sequence of requests from the same state gets the same buffers: bind groups are then found in
 * their cache from the second step on.
 */
export class BufferPool {
  #create: (bytes: number) => GPUBuffer;
  #free: FreeBlocks = new Map();
  #reserve: Reserve | null = null;
  #nextId = 1;
  #live = 0;
  #peak = 0;
  #pooled = 0;
  #reserved = 0;
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
    return { live: this.#live, peak: this.#peak, pooled: this.#pooled, reserved: this.#reserved };
  }

  /** Starts a new measurement of the peak. */
  resetPeak(): void {
    this.#peak = this.#live;
  }

  /** Takes note that commands used `bytes` beside what is live. */
  touch(bytes: number): void {
    this.#peak = Math.max(this.#peak, this.#live + bytes);
  }

  /** Takes a free block that suits `bytes`, or makes one. */
  allocate(bytes: number): Storage {
    const rounded = Math.max(16, Math.ceil(bytes / 16) * 16);
    const block = this.#take(sizeClass(rounded));
    const { capacity } = block;
    this.#live += capacity;
    this.#peak = Math.max(this.#peak, this.#live);
    const { owner } = block;
    if (owner) owner.peak = Math.max(owner.peak, owner.live += capacity);
    return new Storage(this, block, rounded, bytes === 0);
  }

  /** Takes the block of a storage back; called by the last {@linkcode Storage.release}. */
  free(storage: Storage): void {
    const { block } = storage;
    this.#live -= block.capacity;
    if (block.owner?.dissolved) block.owner = null;
    if (block.owner) {
      block.owner.live -= block.capacity;
      this.#reserved += block.capacity;
    } else this.#pooled += block.capacity;
    insertById(block.owner?.free ?? this.#free, block);
  }

  /**
   * Runs `body` with what it allocates from a reserve, which grows by free or new blocks where it has none; with null,
   * from what is for all.
   */
  into<T>(reserve: Reserve | null, body: () => T): T {
    const before = this.#reserve;
    this.#reserve = reserve;
    if (reserve) reserve.peak = reserve.live;
    try {
      return body();
    } finally {
      this.#reserve = before;
    }
  }

  /** Ends a reserve: its blocks are for all again, those in use as soon as they are free. */
  dissolve(reserve: Reserve): void {
    reserve.dissolved = true;
    for (const blocks of reserve.free.values()) {
      for (const block of blocks) {
        block.owner = null;
        this.#reserved -= block.capacity;
        this.#pooled += block.capacity;
        insertById(this.#free, block);
      }
    }
    reserve.free.clear();
  }

  /** Destroys the free blocks. */
  trim(): void {
    for (const blocks of this.#free.values()) for (const block of blocks) block.buffer.destroy();
    this.#free.clear();
    this.#pooled = 0;
  }

  #take(capacity: number): Block {
    const reserve = this.#reserve;
    const kept = takeBest(reserve?.free, capacity);
    if (kept) {
      this.#reserved -= kept.capacity;
      return kept;
    }
    const free = takeBest(this.#free, capacity);
    if (free) this.#pooled -= free.capacity;
    const block = free ?? this.#make(capacity);
    block.owner = reserve;
    return block;
  }

  #make(capacity: number): Block {
    this.#created++;
    return { id: this.#nextId++, buffer: this.#create(capacity), capacity, lastUse: -1, owner: null };
  }
}

/** From this size on, blocks are made to measure and serve smaller requests: what a step holds is mostly of these. */
const LARGE = 2 ** 20;

/** How much larger than asked for a large free block may be. */
const SLACK = 1.4;

/**
 * Rounds up to an eighth of a power of two, or to a 64th from 1 MiB on: at most 12.5 % and 1.6 % are wasted, and like sizes
 * share blocks.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.max(4, Math.floor(Math.log2(bytes - 1)) - (bytes < LARGE ? 3 : 6));
  return Math.ceil(bytes / step) * step;
}

/** The size class of the free block that suits best: the same, or for a large request the next within the slack. */
function bestClass(free: FreeBlocks, capacity: number): number {
  if (capacity < LARGE || free.get(capacity)?.length) return capacity;
  let best = Infinity;
  for (const [size, blocks] of free) if (size >= capacity && size < best && blocks.length > 0) best = size;
  return best <= SLACK * capacity ? best : capacity;
}

/** Takes the lowest id of the best class out of the free blocks. */
function takeBest(free: FreeBlocks | undefined, capacity: number): Block | undefined {
  return free?.get(bestClass(free, capacity))?.shift();
}

function insertById(free: FreeBlocks, block: Block): void {
  let blocks = free.get(block.capacity);
  if (!blocks) free.set(block.capacity, blocks = []);
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle]!.id < block.id) low = middle + 1;
    else high = middle;
  }
  blocks.splice(low, 0, block);
}
