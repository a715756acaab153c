import { concat } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { EpochPlan, ViewBatch, ViewSource } from "../data/views/mod.ts";

/** Part of a batch: some samples, and what was made of them. */
export interface BatchPart<T> {
  /** Rows of the samples in the data set. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Value made of the samples' views. */
  readonly made: T;
}

/**
 * The batches of an epoch, each in parts that a source makes one after the other. A part of which nothing could be read
 * is left out; a batch may thus have no parts.
 *
 * @param sizes Samples of each part of each batch.
 * @param make What to make of the views of a part, which are freed afterwards.
 */
export async function* partsOfBatches<T>(
  source: ViewSource,
  plan: Omit<EpochPlan, "sizes">,
  sizes: readonly (readonly number[])[],
  make: (views: Tensor, batch: ViewBatch) => T,
): AsyncGenerator<BatchPart<T>[]> {
  const parts = source.batches({ ...plan, sizes: sizes.flat() })[Symbol.asyncIterator]();
  try {
    for (const { length } of sizes) {
      const made: BatchPart<T>[] = [];
      for (let i = 0; i < length; i++) {
        const { value } = await parts.next() as IteratorYieldResult<ViewBatch>;
        if (value.views) made.push({ rows: value.rows, made: make(value.views, value) });
      }
      yield made;
    }
  } finally {
    await parts.return?.();
  }
}

/** Tensors below one another. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? parts[0]!.alias() : concat(parts, 0);
}
