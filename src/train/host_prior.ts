import type { PriorRows } from "../data/internal.ts";
import type { Device } from "../device/mod.ts";
import { indexSelect } from "../ops/mod.ts";
import { keep, Tensor, tensor } from "../tensor/mod.ts";
import { takeRows } from "../data/internal.ts";

/** A prior in host memory, for one that is larger than what an adapter binds at once: a step uploads its rows. */
export class HostPrior {
  /** Samples and columns. */
  readonly shape: readonly [number, number];
  #device: Device;
  #data: Float32Array;
  #batches = new Map<number, { host: Float32Array<ArrayBuffer>; rows: Tensor }>();

  /** Takes the rows; they are not copied. */
  constructor(device: Device, { data, dim }: PriorRows) {
    this.shape = [data.length / dim, dim];
    this.#device = device;
    this.#data = data;
  }

  /** Rows of the prior, `[rows.length, dim]`; they are those of the next call of the same length then. */
  rows(rows: ArrayLike<number>): Tensor {
    const [, dim] = this.shape;
    let batch = this.#batches.get(rows.length);
    if (!batch) {
      const shape = [rows.length, dim];
      batch = { host: new Float32Array(rows.length * dim), rows: keep(new Tensor(this.#device, shape)) };
      this.#batches.set(rows.length, batch);
    }
    batch.rows.write(takeRows<Float32Array>(this.#data, dim, rows, batch.host));
    return batch.rows.alias();
  }

  /** Frees what it uploaded. */
  dispose(): void {
    for (const { rows } of this.#batches.values()) rows.dispose();
    this.#batches.clear();
  }
}

/** Rows of a prior on the device or in host memory, `[rows.length, dim]`. */
export function priorRows(prior: Tensor | HostPrior, rows: Uint32Array, indices: Tensor | null): Tensor {
  if (prior instanceof HostPrior) return prior.rows(rows);
  return indexSelect(prior, 0, indices ?? tensor(rows, { device: prior.device }));
}
