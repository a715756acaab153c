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

  /** Whether the device had no memory for it. */
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
