import { autocast, backward } from "../autograd/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { cast, slice } from "../ops/mod.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import { bindingBytes, largestFitting, leastOf, valuesOf } from "../data/internal.ts";
import type { SizedViews } from "../data/views/mod.ts";
import { embedViews, sizesOf } from "./view_sizes.ts";

/** Scope of batch normalisation where a batch comes in parts: each part (the default), or the whole batch. */
export type BatchStatistics = "part" | "batch";

/** Shape of the batches that {@linkcode microBatchOf} plans for. */
export interface BatchShape {
  /** Samples of a batch. */
  readonly batchSize: number;
  /** Views of a sample. */
  readonly views: number;
  /** Side of the views, px. */
  readonly size: number;
  /** Local views of a sample; none by default. */
  readonly local?: SizedViews;
  /** Whether the network computes in half precision. */
  readonly mixed: boolean;
}

/**
 * Samples that a rank encodes and differentiates at once: all of its part of a batch where the adapter takes them, else
 * as many as it does. The network is rehearsed, not run.
 *
 * @throws {DeviceError} If the adapter does not take the views of two samples.
 */
export async function microBatchOf(model: Contrastive, shape: BatchShape, group: Communicator): Promise<number> {
  const { device } = model.parameters()[0]!;
  const { batchSize, views, size, local, mixed } = shape;
  const sizes = sizesOf({ size, local }, views);
  const most = Math.ceil(batchSize / group.size);
  const step = (n: number) => {
    const images = zeros(sizes ? [n, valuesOf(sizes.global) + valuesOf(sizes.local)] : [n, views, size, size, 3], {
      device,
    });
    const z = cast(autocast(() => embedViews(model, [images], sizes)[0]!, { enabled: mixed, device }), "f32");
    backward(z, { grad: zeros(z.shape, { device }) });
  };
  try {
    return await leastOf(group, Math.max(Math.min(2, most), largestFitting(device, most, step)));
  } finally {
    for (const parameter of model.parameters()) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }
}

/** Parts into which every rank divides its part of a batch. */
export function partCount(batch: number, ranks: number, microBatch: number): number {
  return Math.ceil(Math.ceil(batch / ranks) / microBatch);
}

/** Describes how batches are divided; null where they are not. */
export function divisionNote(
  model: Contrastive,
  { batchSize, microBatch, ranks, statistics }: {
    batchSize: number;
    microBatch: number;
    ranks: number;
    statistics: BatchStatistics;
  },
): string | null {
  const own = Math.ceil(batchSize / ranks);
  const count = partCount(batchSize, ranks, microBatch);
  if (count < 2) return null;
  const binding = bindingBytes(model.parameters()[0]!.device) / 2 ** 20;
  return `Batches of ${own}${ranks > 1 ? " a rank" : ""} are encoded in ${count} parts of at most ${
    Math.ceil(own / count)
  } samples (--micro_batch; this adapter binds ${
    Math.floor(binding)
  } MiB at once): loss and gradient are those of the ` +
    `whole batch, batch normalisation has the statistics of ${
      statistics === "batch" ? "the whole batch" : "each part (--batch_statistics)"
    }`;
}

/** Halves the largest parts until there are `count`: where a whole part could not be read. */
export function evenOut(parts: readonly Tensor[], count: number): Tensor[] {
  const all = [...parts];
  while (all.length < count) {
    const sizes = all.map(({ shape }) => shape[0]!);
    const largest = sizes.indexOf(Math.max(...sizes));
    if (!(sizes[largest]! > 1)) break;
    const middle = sizes[largest]! >> 1;
    all.splice(largest, 1, slice(all[largest]!, [{ stop: middle }]), slice(all[largest]!, [{ start: middle }]));
  }
  return all;
}
