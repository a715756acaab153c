import { BufferPool, type MemoryUsage } from "./pool.ts";
import type { DeviceStorage } from "./storage.ts";

/** Books of a rehearsal: storages have sizes but no memory. */
export class Rehearsal {
  #pool = new BufferPool({ create: () => ({ destroy() {} }) as GPUBuffer });

  /** A storage without memory. */
  allocate(bytes: number): DeviceStorage {
    return this.#pool.allocate(bytes);
  }

  /** Memory that would be in use. */
  get memory(): MemoryUsage {
    return this.#pool.usage;
  }
}

/** Whether a device rehearses, and on which books. */
export class Rehearsals {
  #now: Rehearsal | null = null;

  /** Rehearsal that is run instead of work; null where work is done. */
  get now(): Rehearsal | null {
    return this.#now;
  }

  /** Runs `body` on books of its own; returns what they say at its end. */
  run(body: () => void): MemoryUsage {
    const before = this.#now;
    const rehearsal = this.#now = new Rehearsal();
    try {
      body();
      return rehearsal.memory;
    } finally {
      this.#now = before;
    }
  }
}
