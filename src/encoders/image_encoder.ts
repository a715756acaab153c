import type { DecodeSpec, Features, RgbImage } from "../data/mod.ts";

/**
 * A network that turns images into features, for {@linkcode makeFeatures}: {@linkcode loadGloria}, {@linkcode openOnnx},
 * or one's own.
 */
export interface ImageEncoder {
  /** Tells encoders apart: work that was begun with one `id` is not gone on with by another. */
  readonly id: string;
  /** Processing of an image when its file is read. */
  readonly decode: DecodeSpec;
  /** Maximum number of images that `encode` takes at once; no bound by default. */
  readonly maxBatch?: number;
  /** Turns a decoded image into what the network takes. */
  prepare(image: RgbImage): Float32Array<ArrayBuffer>;
  /** Features `[n, dim]` of n prepared images, n ≥ 1. */
  encode(images: readonly Float32Array<ArrayBuffer>[]): Promise<Features>;
}

/** Normalisation of bytes to the numbers that a network takes: `(byte / 255 − mean) / std` for each channel. */
export interface Normalization {
  /** Mean of each channel, in units of the full range 0 to 1. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation of each channel, in units of the full range 0 to 1. */
  readonly std: readonly [number, number, number];
}

/** Normalised floats `[height, width, 3]` of an image. */
export function normalized({ data }: RgbImage, { mean, std }: Normalization): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = (data[i]! / 255 - mean[i % 3]!) / std[i % 3]!;
  return out;
}
