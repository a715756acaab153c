import type { Device } from "../device/mod.ts";
import { copyInto, keep, type Tensor, zeros } from "../tensor/mod.ts";

/**
 * Collects scalars of each step on the device and reads them back together: a read-back a step would cost more than the
 * step. Rows that were not read when the ring is full are an error, not lost silently.
 */
export class MetricRing {
  #rows: Tensor;
  #names: readonly string[];
  #capacity: number;
  #start = 0;
  #count = 0;

  /** Room for `capacity` steps of the named scalars. */
  constructor(device: Device, names: readonly string[], capacity: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#rows = keep(zeros([capacity, names.length], { device }));
  }

  /** The device that holds it. */
  get device(): Device {
    return this.#rows.device;
  }

  /** Steps not yet read. */
  get pending(): number {
    return this.#count - this.#start;
  }

  /** Keeps the scalars of one step, in the order of the names. */
  push(scalars: readonly Tensor[]): void {
    this.device.recordings.repeat(() => this.#advance());
    const row = () => (this.#count - 1) % this.#capacity;
    scalars.forEach((scalar, i) => copyInto(this.#rows, scalar, () => row() * this.#names.length + i));
  }

  /** Reads the steps that were pushed since the last read, the oldest first. */
  async read(): Promise<Record<string, number>[]> {
    const [from, to] = [this.#start, this.#count];
    if (from === to) return [];
    const values = await this.#rows.data();
    this.#start = to;
    return Array.from({ length: to - from }, (_, k) => {
      const row = ((from + k) % this.#capacity) * this.#names.length;
      return Object.fromEntries(this.#names.map((name, i) => [name, values[row + i]!]));
    });
  }

  #advance(): void {
    if (this.pending === this.#capacity) {
      throw new RangeError(`Cannot push() as ${this.#capacity} steps wait to be read`);
    }
    this.#count++;
  }

  /** Frees the ring. */
  dispose(): void {
    this.#rows.dispose();
  }
}
