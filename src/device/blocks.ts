// GPU buffers as a pool keeps them: blocks, and reserves of them.

/** Free blocks by size class, the lowest id first. */
export type FreeBlocks = Map<number, Block[]>;

/** One GPUBuffer of the pool. Its `id` grows with creation and names it in bind-group keys. */
export class Block {
  /** Serial number. */
  readonly id: number;
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Bytes of the GPUBuffer. */
  readonly capacity: number;
  #isLost: () => boolean;
  #lastUse = -1;
  #owner: Reserve | null = null;
  #freed = 0;

  /** Takes a buffer of `capacity` bytes; `isLost` tells whether the device had no memory for it. */
  constructor(id: number, buffer: GPUBuffer, capacity: number, isLost: () => boolean) {
    this.id = id;
    this.buffer = buffer;
    this.capacity = capacity;
    this.#isLost = isLost;
  }

  /** Whether the device had no memory for the block. */
  get lost(): boolean {
    return this.#isLost();
  }

  /** Serial of the last submit whose commands bound this block; -1 before the first. */
  get lastUse(): number {
    return this.#lastUse;
  }

  /** Takes note that the commands of a submit bind it. */
  use(serial: number): void {
    this.#lastUse = serial;
  }

  /** The reserve that it belongs to, if any: it goes back there. */
  get owner(): Reserve | null {
    return this.#owner;
  }

  /** Makes it belong to a reserve, or to all. */
  moveTo(owner: Reserve | null): void {
    this.#owner = owner;
  }

  /** Time at which the block was given back last (for LRU): the one free for longest has the lowest. */
  get freed(): number {
    return this.#freed;
  }

  /** Takes note of when it was given back; it leaves a reserve that was dissolved. */
  giveBack(time: number): void {
    this.#freed = time;
    if (this.#owner?.dissolved) this.#owner = null;
    this.#owner?.giveBack(this.capacity);
  }
}

/**
 * Blocks set apart: what is allocated while `BufferPool.into` runs comes from here and goes back here, so that recorded
 * commands may use them again at any time.
 */
export class Reserve {
  /**
   * Free blocks.
   *
   * @internal
   */
  readonly free: FreeBlocks = new Map();
  #live = 0;
  #peak = 0;
  #dissolved = false;

  /** Bytes of its blocks that are in use. */
  get live(): number {
    return this.#live;
  }

  /** Largest `live` since `BufferPool.into` began. */
  get peak(): number {
    return this.#peak;
  }

  /** True once `BufferPool.dissolve` ended it. */
  get dissolved(): boolean {
    return this.#dissolved;
  }

  /**
   * Starts a new measurement of the peak.
   *
   * @internal
   */
  begin(): void {
    this.#peak = this.#live;
  }

  /**
   * Counts bytes that come into use.
   *
   * @internal
   */
  take(bytes: number): void {
    this.#live += bytes;
    this.#peak = Math.max(this.#peak, this.#live);
  }

  /**
   * Counts bytes that are given back.
   *
   * @internal
   */
  giveBack(bytes: number): void {
    this.#live -= bytes;
  }

  /**
   * Ends it: its blocks are for all as they are given back.
   *
   * @internal
   */
  dissolve(): void {
    this.#dissolved = true;
  }
}

/**
 * Size, in bytes, from which on blocks are made to measure and serve smaller requests: what a step holds is mostly of
 * these.
 */
const LARGE = 2 ** 20;

/** Largest ratio of a large free block to the bytes asked for. */
const SLACK = 1.4;

/**
 * Rounds up to an eighth of a power of two, or to a 64th from 1 MiB on: at most 12.5 % and 1.6 % are wasted, and like
 * sizes share blocks.
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

/** Takes the lowest id of the best class out of the free blocks (free lists by size class, best fit). */
export function takeBest(free: FreeBlocks | undefined, capacity: number): Block | undefined {
  return free?.get(bestClass(free, capacity))?.shift();
}

/** Puts a block back where its id belongs. */
export function insertById(free: FreeBlocks, block: Block): void {
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
