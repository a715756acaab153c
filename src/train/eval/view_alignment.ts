import type { Device } from "../../device/mod.ts";
import { noGrad } from "../../autograd/mod.ts";
import { chexpertRecipe, type ImageDataset, naturalRecipe } from "../../data/mod.ts";
import type { ResNet } from "../../nn/mod.ts";
import { reshape } from "../../ops/mod.ts";
import { key, shuffled, type Tensor, tidy } from "../../tensor/mod.ts";
import { imageSource } from "../job_data.ts";
import { batchSizes } from "../pretrain_parts.ts";
import { alignment } from "./statistics.ts";

/** Settings of {@linkcode viewAlignment}. */
export interface ViewAlignmentOptions {
  /** Feature that is compared. */
  readonly feature: "fc" | "pooled";
  /** Side of the views, px. */
  readonly resolution: number;
  /** Workers that decode. */
  readonly workers: number;
  /** Images of a batch; 64 by default. */
  readonly batchSize?: number;
  /** Images that are compared at most; 512 by default. */
  readonly most?: number;
  /** Seed of the choice and of the views; 0 by default. */
  readonly seed?: number;
}

/**
 * Alignment of Wang and Isola between two augmented views of an image, by the recipe that the data set is pre-trained
 * with: mean squared distance of their unit features, 0 when the views agree.
 *
 * @param encoder In eval mode.
 * @throws {RangeError} If no image could be read.
 *
 * @see Wang and Isola, arXiv:2005.10242, equation 2 (alpha = 2).
 */
export async function viewAlignment(
  device: Device,
  encoder: ResNet,
  dataset: ImageDataset,
  options: ViewAlignmentOptions,
): Promise<number> {
  const { feature, resolution: size, workers, batchSize = 64, most = 512, seed = 0 } = options;
  const { mean, std } = dataset;
  const recipe = dataset.name.startsWith("chexpert")
    ? chexpertRecipe({ size, mean, std })
    : naturalRecipe({ size, mean, std });
  const order = shuffled(dataset.length, key(seed, 0x616c69)).slice(0, most);
  const source = imageSource(device, dataset, recipe, { workers });
  const pairs: Float32Array<ArrayBuffer>[][] = [[], []];
  let dim = 0;
  try {
    const sizes = [...batchSizes(order.length, batchSize, true), order.length % batchSize].filter((n) => n > 0);
    for await (const { views } of source.batches({ order, sizes, epoch: 0, seed, views: 2 })) {
      if (!views) continue;
      using features = embed(encoder, views, feature);
      dim = features.shape[1]!;
      const values = await features.data() as Float32Array<ArrayBuffer>;
      for (let i = 0; i * dim < values.length; i++) pairs[i % 2]!.push(values.slice(i * dim, (i + 1) * dim));
    }
  } finally {
    source.dispose();
  }
  if (dim === 0) throw new RangeError(`Cannot compute viewAlignment() as no image of "${dataset.name}" could be read`);
  const [first, second] = pairs.map((rows) => ({ data: joined(rows, dim), dim }));
  return alignment(first!, second!);
}

/** `[batch, 2, h, w, c]` to `[batch · 2, dim]`, the view fastest. */
function embed(encoder: ResNet, views: Tensor, feature: "fc" | "pooled"): Tensor {
  return noGrad(() =>
    tidy(() => {
      const images = reshape(views, [-1, ...views.shape.slice(2)]);
      return feature === "pooled" ? encoder.pooled(images) : encoder.forward(images);
    })
  );
}

function joined(rows: readonly Float32Array[], dim: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => data.set(row, i * dim));
  return data;
}
