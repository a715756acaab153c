import type { Device } from "../device/mod.ts";
import { noGrad } from "../autograd/mod.ts";
import {
  batchSizes,
  chexpertRecipe,
  type Features,
  type ImageDataset,
  imageSource,
  naturalRecipe,
} from "../data/mod.ts";
import { type Communicator, shareOf } from "../distributed/mod.ts";
import { groupOf } from "../distributed/internal.ts";
import type { Backbone } from "../nn/mod.ts";
import { reshape } from "../ops/mod.ts";
import { key, shuffled, type Tensor, tidy, zeros } from "../tensor/mod.ts";
import { collectRows } from "./distributed_encode.ts";
import { largestFitting, leastOf } from "../data/internal.ts";
import { alignment } from "./statistics.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode viewAlignment}. */
export interface ViewAlignmentOptions {
  /** Feature that is compared. */
  readonly feature: "fc" | "pooled";
  /** Side of the views, px. */
  readonly resolution: number;
  /** Workers that decode. */
  readonly workers: number;
  /** Images of a batch; 64 by default, fewer where the adapter does not take their views at once. */
  readonly batchSize?: number;
  /** Images that are compared at most; 512 by default. */
  readonly most?: number;
  /** Seed of the choice and of the views; 0 by default. */
  readonly seed?: number;
  /** The ranks, each of which encodes some of the batches; this process alone by default. */
  readonly group?: Communicator;
}

const OPTIONS = ["feature", "resolution", "workers", "batchSize", "most", "seed", "group"] as const;

/**
 * Alignment of Wang and Isola between two augmented views of an image, by the recipe that the data set is pre-trained
 * with: mean squared distance of their unit features, 0 when the views agree.
 *
 * @param encoder In eval mode.
 * @returns The alignment on rank 0; null on the others.
 * @throws {RangeError} If no image could be read.
 *
 * @see Wang and Isola, arXiv:2005.10242, equation 2 (alpha = 2).
 */
export async function viewAlignment(
  device: Device,
  encoder: Backbone,
  dataset: ImageDataset,
  options: ViewAlignmentOptions,
): Promise<number | null> {
  checkOptions("compute viewAlignment()", options, OPTIONS);
  const { feature, resolution: size, workers, most = 512, seed = 0 } = options;
  const group = groupOf(options);
  const order = shuffled(dataset.length, key(seed, 0x616c69)).subarray(0, most);
  const trial = (n: number) => embed(encoder, zeros([n, 2, size, size, 3], { device }), feature);
  const batchSize = await leastOf(group, largestFitting(device, options.batchSize ?? 64, trial));
  const source = imageSource(device, dataset, recipeOf(dataset, size), { workers });
  const sizes = [...batchSizes(order.length, batchSize, true), order.length % batchSize].filter((n) => n > 0);
  const [first, last] = shareOf(group, sizes.length);
  const own = order.subarray(first * batchSize, last * batchSize);
  const parts: Float32Array[] = [];
  const kept: number[] = [];
  let dim = 0;
  const share = { order: own, sizes: sizes.slice(first, last), epoch: 0, seed, views: 2 };
  try {
    for await (const { rows, views } of source.batches(share)) {
      if (!views) continue;
      using features = embed(encoder, views, feature);
      dim = features.shape[1]!;
      parts.push(await features.data() as Float32Array);
      for (const row of rows) kept.push(row);
    }
  } finally {
    source.dispose();
  }
  const all = await collectRows(group, { features: { data: concatenated(parts), dim }, rows: kept });
  if (!all) return null;
  if (all.rows.length === 0) {
    throw new RangeError(`Cannot compute viewAlignment() as no image of "${dataset.name}" could be read`);
  }
  return alignment(everySecond(all.features, 0), everySecond(all.features, 1));
}

/** Augmentation that the data set is pre-trained with. */
function recipeOf({ name, mean, std }: ImageDataset, size: number) {
  return name.startsWith("chexpert") ? chexpertRecipe({ size, mean, std }) : naturalRecipe({ size, mean, std });
}

/** Encodes views `[batch, 2, h, w, c]` to `[batch · 2, dim]`, the view fastest. */
function embed(encoder: Backbone, views: Tensor, feature: "fc" | "pooled"): Tensor {
  return noGrad(() =>
    tidy(() => {
      const images = reshape(views, [-1, ...views.shape.slice(2)]);
      return feature === "pooled" ? encoder.pooled(images) : encoder.forward(images);
    })
  );
}

function concatenated(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

/** One view of each image: every second row. */
function everySecond({ data, dim }: Features, view: number): Features {
  const one = new Float32Array(data.length / 2);
  for (let at = 0; at < one.length; at += dim) {
    one.set(data.subarray(2 * at + view * dim, 2 * at + (view + 1) * dim), at);
  }
  return { data: one, dim };
}
