import type { Block, Reserve } from "./blocks.ts";

/**
 * A counted reference to a block: handles and saved tensors retain it, the last release gives the block back to the
 * pool.
 */
export class DeviceStorage {
  /** Bytes asked for, rounded up to a multiple of 16 so that every storage can be read as `vec4`. */
  readonly bytes: number;
  /** The reserve that it was taken from, if any. */
  readonly owner: Reserve | null;
  /** True where no bytes were asked for. */
  readonly empty: boolean;
  #pool: { free(storage: DeviceStorage): void };
  #block: Block;
  #refs = 1;
  #recordings = 0;
  #version = 0;
  #writtenBy = -1;

  /** Constructor for `BufferPool.allocate`. */
  constructor(pool: { free(storage: DeviceStorage): void }, block: Block, bytes: number, empty: boolean) {
    this.#pool = pool;
    this.#block = block;
    this.bytes = bytes;
    this.owner = block.owner;
    this.empty = empty;
  }

  /**
   * Block that holds the bytes.
   *
   * @throws {TypeError} If nobody holds the storage any longer: the bytes are then another's.
   */
  get block(): Block {
    if (this.#refs > 0 || this.owner) return this.#block; // a reserve keeps the blocks of its recorded step
    throw new TypeError("Cannot use a storage as it was freed: the tensor that held it last was disposed");
  }

  /** Number of holders of this storage; 1 means that its only holder may write in place. */
  get refs(): number {
    return this.#refs;
  }

  /** Number of its holders that are recordings: where all are, nothing outside of them has it any longer. */
  get recordings(): number {
    return this.#recordings;
  }

  /** Number of writes to it: what was saved of it before is out of date once this has grown. */
  get version(): number {
    return this.#version;
  }

  /** Serial of the submit that wrote it last; -1 before the first. */
  get writtenBy(): number {
    return this.#writtenBy;
  }

  /** Takes note that a submit writes it. */
  wrote(serial: number): void {
    this.#version++;
    this.#writtenBy = serial;
  }

  /** Takes note that all of it is about to be overwritten: who wrote what it holds is of no account any longer. */
  forget(): void {
    this.#writtenBy = -1;
  }

  /** Adds a holder. */
  retain(): this {
    this.#refs++;
    return this;
  }

  /** Drops a holder; the last one gives the block back. */
  release(): void {
    if (this.#refs === 1) this.#pool.free(this);
    this.#refs--;
  }

  /**
   * Adds a recording as a holder.
   *
   * @internal
   */
  retainRecorded(): this {
    this.#recordings++;
    return this.retain();
  }

  /**
   * Drops a recording as a holder.
   *
   * @internal
   */
  releaseRecorded(): void {
    this.#recordings--;
    this.release();
  }
}
