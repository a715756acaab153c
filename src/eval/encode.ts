import { noGrad } from "../autograd/mod.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import { EVALUATION_BATCH, largestFitting } from "../data/internal.ts";
import type { Features } from "../data/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode encode}. */
export interface EncodeOptions {
  /** Images at once; 256 by default, fewer where the adapter does not take them. */
  batchSize?: number;
  /** Callback after each batch with the images done. */
  onProgress?: (done: number) => void;
}

/** A network that maps images to features; put it in `eval()` first. */
export interface FeatureEncoder {
  /** Maps images `[n, h, w, 3]` to features `[n, dim]`. */
  forward(images: Tensor): Tensor;
}

/**
 * Features of all images, read back: batch norm in eval mode, no graph.
 *
 * @param encoder Maps `[n, h, w, 3]` to `[n, dim]`.
 * @param length Images in all, ≥ 1.
 * @param images Makes the normalised images of rows `[from, to)`, `[to - from, h, w, 3]`.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { encode } from "@decoupled/uniformity/eval";
 * import { resnet18 } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const encoder = resnet18({ stem: "cifar", numClasses: 16 });
 * const { data, dim } = await encode(encoder, 5, (from, to) => ones([to - from, 8, 8, 3]));
 * assertEquals([data.length, dim], [80, 16]);
 * ```
 */
export async function encode(
  encoder: FeatureEncoder,
  length: number,
  images: (from: number, to: number) => Tensor | Promise<Tensor>,
  options: EncodeOptions = {},
): Promise<Features> {
  checkOptions("encode()", options, ["batchSize", "onProgress"]);
  const { onProgress } = options;
  const batchSize = await fittingBatch(encoder, Math.min(options.batchSize ?? EVALUATION_BATCH, length), images);
  let features: Float32Array<ArrayBuffer> | null = null;
  let dim = 0;
  for (let from = 0; from < length; from += batchSize) {
    const to = Math.min(from + batchSize, length);
    using batch = await images(from, to);
    using z = embed(encoder, batch);
    dim = z.shape[1]!;
    features ??= new Float32Array(length * dim);
    features.set(await z.data() as Float32Array, from * dim);
    onProgress?.(to);
  }
  if (!features) throw new RangeError("Cannot encode() as there must be at least one image: got 0");
  return { data: features, dim };
}

/** Images that the adapter encodes at once; one of them tells how large they are. */
async function fittingBatch(
  encoder: FeatureEncoder,
  most: number,
  images: (from: number, to: number) => Tensor | Promise<Tensor>,
): Promise<number> {
  if (most < 2) return most;
  using one = await images(0, 1);
  const { device, shape } = one;
  return largestFitting(device, most, (n) => embed(encoder, zeros([n, ...shape.slice(1)], { device })));
}

function embed(encoder: FeatureEncoder, batch: Tensor): Tensor {
  return noGrad(() => encoder.forward(batch));
}
