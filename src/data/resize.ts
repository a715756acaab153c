import type { DecodeSpec } from "./dataset.ts";

/** A decoded image: RGB, one byte a channel. */
export interface RgbImage {
  /** Bytes `[height, width, 3]`. */
  data: Uint8Array<ArrayBuffer>;
  /** Height, px. */
  height: number;
  /** Width, px. */
  width: number;
}

/** For every output position: the first input position, and the weights from there on. */
interface Taps {
  starts: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
  stride: number;
}

// Weights are integers with this many bits behind the point: sums of 255 times weights that add up to 1 fit in 31 bits.
const BITS = 22;

/**
 * Resizes an image with an antialiased bilinear (triangle) filter, to the bit as Pillow's `Image.resize` does for 8-bit images:
 * a horizontal pass, rounded to bytes, then a vertical one.
 *
 * @param image The image.
 * @param size Height and width wanted, px, both at least 1.
 * @throws {RangeError} If a side is not a positive integer.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resizeBilinear } from "@decoupled/uniformity/data";
 *
 * const image = { data: Uint8Array.of(0, 0, 0, 100, 100, 100), height: 1, width: 2 };
 *
 * assertEquals(resizeBilinear(image, { height: 1, width: 1 }).data, Uint8Array.of(50, 50, 50));
 * ```
 */
export function resizeBilinear(image: RgbImage, size: { height: number; width: number }): RgbImage {
  for (const [name, side] of Object.entries({ height: size.height, width: size.width })) {
    if (!Number.isInteger(side) || side < 1) {
      throw new RangeError(`Cannot resize an image as ${name} must be a positive integer: current value is ${side}`);
    }
  }
  const wide = image.width === size.width ? image : resizeRows(image, size.width);
  return image.height === size.height ? wide : resizeColumns(wide, size.height);
}

function triangleTaps(input: number, output: number): Taps {
  const scale = input / output;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const taps = {
    starts: new Int32Array(output),
    counts: new Int32Array(output),
    weights: new Int32Array(output * stride),
    stride,
  };
  for (let i = 0; i < output; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(input, Math.trunc(center + support + 0.5));
    const raw = Array.from(
      { length: end - start },
      (_, k) => Math.max(0, 1 - Math.abs((k + start - center + 0.5) / support)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    taps.starts[i] = start;
    taps.counts[i] = raw.length;
    raw.forEach((weight, k) => taps.weights[i * stride + k] = Math.trunc(0.5 + weight * (1 / sum) * (1 << BITS)));
  }
  return taps;
}

function resizeRows(image: RgbImage, width: number): RgbImage {
  const { starts, counts, weights, stride } = triangleTaps(image.width, width);
  const out = new Uint8Array(image.height * width * 3);
  for (let y = 0, to = 0; y < image.height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++, to += 3) {
      let red = 1 << (BITS - 1), green = red, blue = red;
      for (let k = 0, from = row + starts[x]! * 3; k < counts[x]!; k++, from += 3) {
        const weight = weights[x * stride + k]!;
        red += image.data[from]! * weight;
        green += image.data[from + 1]! * weight;
        blue += image.data[from + 2]! * weight;
      }
      out[to] = red >> BITS;
      out[to + 1] = green >> BITS;
      out[to + 2] = blue >> BITS;
    }
  }
  return { data: out, height: image.height, width };
}

function resizeColumns(image: RgbImage, height: number): RgbImage {
  const { starts, counts, weights, stride } = triangleTaps(image.height, height);
  const bytes = image.width * 3;
  const out = new Uint8Array(height * bytes);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < bytes; x++) {
      let sum = 1 << (BITS - 1);
      for (let k = 0, from = starts[y]! * bytes + x; k < counts[y]!; k++, from += bytes) {
        sum += image.data[from]! * weights[y * stride + k]!;
      }
      out[y * bytes + x] = sum >> BITS;
    }
  }
  return { data: out, height, width: image.width };
}

/**
 * Cuts a square out of the middle, as torchvision's `CenterCrop`: halves are rounded to even, and a smaller image is first
 * padded with black.
 *
 * @param image The image.
 * @param side Side of the square, px.
 * @throws {RangeError} If `side` is not a positive integer.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { centerCrop } from "@decoupled/uniformity/data";
 *
 * const image = { data: Uint8Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3), height: 1, width: 3 };
 *
 * assertEquals(centerCrop(image, 1).data, Uint8Array.of(2, 2, 2));
 * ```
 */
export function centerCrop(image: RgbImage, side: number): RgbImage {
  if (!Number.isInteger(side) || side < 1) {
    throw new RangeError(`Cannot crop an image as side must be a positive integer: current value is ${side}`);
  }
  const top = cropOffset(image.height, side);
  const left = cropOffset(image.width, side);
  const out = new Uint8Array(side * side * 3);
  const from = Math.max(0, left);
  const columns = Math.min(image.width, left + side) - from;
  for (let y = 0; y < side; y++) {
    const row = y + top;
    if (row < 0 || row >= image.height) continue;
    const at = (row * image.width + from) * 3;
    out.set(image.data.subarray(at, at + columns * 3), (y * side + from - left) * 3);
  }
  return { data: out, height: side, width: side };
}

/** Where the crop begins; negative when the image is smaller and is padded, the smaller half first. */
function cropOffset(length: number, side: number): number {
  if (length < side) return -Math.floor((side - length) / 2);
  const half = (length - side) / 2;
  const rounded = Math.round(half);
  return rounded - half === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/**
 * Applies the size part of a {@linkcode DecodeSpec}: resize, then centre crop.
 *
 * @param image The decoded image.
 * @param spec What to do.
 */
export function applySpec(image: RgbImage, spec: DecodeSpec): RgbImage {
  const resized = spec.resize ? resizeBilinear(image, targetSize(image, spec.resize)) : image;
  return spec.centerCrop === undefined ? resized : centerCrop(resized, spec.centerCrop);
}

function targetSize(
  image: RgbImage,
  resize: NonNullable<DecodeSpec["resize"]>,
): { height: number; width: number } {
  if (!("shortSide" in resize)) return resize;
  const { shortSide } = resize;
  return image.width <= image.height
    ? { height: Math.trunc(shortSide * image.height / image.width), width: shortSide }
    : { height: shortSide, width: Math.trunc(shortSide * image.width / image.height) };
}

/**
 * Luma of every pixel in all three channels: ITU-R 601 weights in 16-bit fixed point, as Pillow's `convert("L")`.
 *
 * @param image The image; it is changed in place.
 */
export function toGray(image: RgbImage): RgbImage {
  const { data } = image;
  for (let i = 0; i < data.length; i += 3) {
    data.fill((data[i]! * 19595 + data[i + 1]! * 38470 + data[i + 2]! * 7471 + 0x8000) >> 16, i, i + 3);
  }
  return image;
}
