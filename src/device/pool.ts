import { Block, type FreeBlocks, insertById, type Reserve, sizeClass, takeBest } from "./blocks.ts";
import type { Encoder } from "./encoder.ts";
import type { DeviceErrorDetails } from "./errors.ts";
import type { Failures } from "./failures.ts";
import { DeviceStorage } from "./storage.ts";
import { USAGE } from "./usage.ts";

/** Maker of a pool's buffers, and what is done before one is destroyed. */
export interface BufferMaker {
  /** Makes a buffer of so many bytes; calls `lose`, perhaps later, when there is no memory for it. */
  create(bytes: number, lose: () => void): GPUBuffer;
  /** Prepares for the end of a block: submits what was encoded with it. */
  settle?(block: Block): void;
}

/** Bytes and counts of a pool. */
export interface MemoryUsage {
  /** Bytes of the blocks in use. */
  readonly live: number;
  /** Largest `live` so far, since the last `resetPeak()`. */
  readonly peak: number;
  /** Bytes of the free blocks that wait for reuse; with those in use at most three times the peak and 16 MiB. */
  readonly pooled: number;
  /** Bytes of the free blocks that recorded steps keep for themselves. */
  readonly reserved: number;
}

/**
 * Hands out GPU buffers by size class and takes them back. A request gets the free block with the lowest id of its
 * class (a large one also of a class a little larger), so that the same sequence of requests from the same state gets the same buffers: bind groups are then found in
 * their cache from the second step on. Where shapes change, those that were free for longest are destroyed before new
 * ones would make the pool more than twice as large as what was ever in use; or, where destroyed sizes are wanted again,
 * three times: a step that comes again finds its blocks.
 */
export class BufferPool {
  #maker: BufferMaker;
  #free: FreeBlocks = new Map();
  #reserve: Reserve | null = null;
  #nextId = 1;
  #live = 0;
  #peak = 0;
  #highest = 0;
  #pooled = 0;
  #reserved = 0;
  #created = 0;
  #clock = 0;
  #destroyed = new Set<number>();
  #missed = 0;

  /** Takes what makes a GPUBuffer of a given size. */
  constructor(maker: BufferMaker) {
    this.#maker = maker;
  }

  /** Buffers created so far. */
  get created(): number {
    return this.#created;
  }

  /** Bytes in use, and bytes that wait for use. */
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
    this.#highest = Math.max(this.#highest, this.#peak);
  }

  /** Takes a free block that suits `bytes`, or makes one. */
  allocate(bytes: number): DeviceStorage {
    const rounded = Math.max(16, Math.ceil(bytes / 16) * 16);
    const block = this.#take(sizeClass(rounded));
    const { capacity, owner } = block;
    this.#live += capacity;
    this.touch(0);
    owner?.take(capacity);
    return new DeviceStorage(this, block, rounded, bytes === 0);
  }

  /** Takes the block of a storage back; called by the last {@linkcode DeviceStorage.release}. */
  free(storage: DeviceStorage): void {
    const { block } = storage;
    const { capacity } = block;
    this.#live -= capacity;
    block.giveBack(++this.#clock);
    if (block.lost) return;
    const { owner } = block;
    if (owner) this.#reserved += capacity;
    else this.#pooled += capacity;
    insertById(owner?.free ?? this.#free, block);
  }

  /**
   * Runs `body`, whose allocations come from a reserve that grows by free or new blocks; with null, from the blocks for all.
   */
  into<T>(reserve: Reserve | null, body: () => T): T {
    const before = this.#reserve;
    this.#reserve = reserve;
    reserve?.begin();
    try {
      return body();
    } finally {
      this.#reserve = before;
    }
  }

  /** Ends a reserve: its blocks are for all again, those in use as soon as they are free. */
  dissolve(reserve: Reserve): void {
    reserve.dissolve();
    this.shrink(reserve, new Set());
  }

  /** Gives the free blocks of a reserve to all, except some. */
  shrink(reserve: Reserve, except: ReadonlySet<Block>): void {
    const blocks = [...reserve.free.values()].flat();
    reserve.free.clear();
    for (const block of blocks) {
      if (except.has(block)) {
        insertById(reserve.free, block);
        continue;
      }
      block.moveTo(null);
      this.#reserved -= block.capacity;
      this.#pooled += block.capacity;
      insertById(this.#free, block);
    }
  }

  /** Destroys the free blocks. */
  trim(): void {
    this.#destroyFree(Infinity);
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
    block.moveTo(reserve);
    return block;
  }

  #make(capacity: number): Block {
    if (this.#destroyed.delete(capacity)) this.#missed += capacity;
    const highest = Math.max(this.#highest, this.#live + capacity);
    const most = 2 * highest + Math.min(highest, this.#missed) + ROOM;
    const total = this.#live + this.#pooled + capacity;
    if (total > most) this.#destroyFree(total - most + most / 8); // some more, so that it is not for every new block
    this.#created++;
    let lost = false;
    const buffer = this.#maker.create(capacity, () => lost = true);
    return new Block(this.#nextId++, buffer, capacity, () => lost);
  }

  /** Destroys blocks of at least so many bytes, those that were free for longest. */
  #destroyFree(bytes: number): void {
    const blocks = [...this.#free.values()].flat().sort((a, b) => a.freed - b.freed);
    let destroyed = 0;
    for (const block of blocks) {
      if (destroyed >= bytes) break;
      this.#maker.settle?.(block);
      block.buffer.destroy();
      const alike = this.#free.get(block.capacity)!;
      alike.splice(alike.indexOf(block), 1);
      if (alike.length === 0) this.#free.delete(block.capacity);
      destroyed += block.capacity;
      this.#destroyed.add(block.capacity);
    }
    this.#pooled -= destroyed;
  }
}

/** Bytes that the pool may have beside what the peak allows. */
const ROOM = 2 ** 24;

/** Parts of a device that {@linkcode bufferMaker} needs. */
export interface BufferMakerParts {
  /** Makes the buffers. */
  readonly gpu: GPUDevice;
  /** Takes memory that ran out. */
  readonly failures: Failures;
  /** Details of what is running now. */
  readonly details: () => DeviceErrorDetails;
  /** Encoder whose commands may still use a buffer. */
  readonly encoder: () => Encoder;
  /** Gives back what is free; returns its bytes. */
  readonly trim: () => number;
}

/**
 * Makes buffers that every op can use. Where memory runs out, what is free is given back before that is reported, so that
 * there is room when the work is tried again.
 */
export function bufferMaker({ gpu, failures, details, encoder, trim }: BufferMakerParts): BufferMaker {
  const usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
  return {
    create(size, lose) {
      const whatIsLost = () => {
        lose();
        const bytes = trim();
        const given = bytes > 0 ? ` (${bytes} bytes that were free are given back by now: try again)` : "";
        return `Cannot allocate ${size} bytes as the device is out of memory${given}`;
      };
      return failures.watch("out-of-memory", whatIsLost, details(), () => gpu.createBuffer({ size, usage }));
    },
    settle: (block) => encoder().uses(block) && encoder().flush(),
  };
}
