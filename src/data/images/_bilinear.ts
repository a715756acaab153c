import type { RgbImage } from "./rgb_image.ts";

/** A part of an image that is yet to be made. */
export interface ImageWindow {
  /** First row. */
  top: number;
  /** First column. */
  left: number;
  /** Rows. */
  height: number;
  /** Columns. */
  width: number;
}

/** Taps of a filter: for every output position the first input position, and the weights from there on. */
interface Taps {
  starts: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
  stride: number;
}

// Weights are integers with this many bits behind the point: sums of 255 times weights that add up to 1 fit in 31 bits
// (a cubic's positive ones to less than 1.3).
const BITS = 22;

/** Filter that makes new pixels: by a triangle, or by a cubic with a = −0.5, both widened where the image shrinks. */
export type Interpolation = "bilinear" | "bicubic";

const FILTERS: Readonly<Record<Interpolation, { reach: number; weight: (x: number) => number }>> = {
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    reach: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
    },
  },
};

/**
 * The pixels of a window of an image that is resized to `size`, with antialiasing: the same as those of the whole, at
 * the cost of the window.
 */
export function resizeWindow(
  image: RgbImage,
  size: { height: number; width: number },
  window: ImageWindow,
  interpolation: Interpolation = "bilinear",
): RgbImage {
  const rows = tapsOf(image.height, size.height, window.top, window.height, interpolation);
  const columns = tapsOf(image.width, size.width, window.left, window.width, interpolation);
  const first = rows.starts[0]!;
  const last = window.height - 1;
  const used = { first, count: rows.starts[last]! + rows.counts[last]! - first };
  const same = image.width === size.width && window.width === size.width;
  const wide = same ? rowsOf(image, used) : resizeRows(image, columns, used);
  const whole = image.height === size.height && window.height === size.height;
  if (whole) return wide;
  for (let y = 0; y <= last; y++) rows.starts[y] = rows.starts[y]! - first;
  return resizeColumns(wide, rows);
}

/** Taps of `count` output positions from `first` on. */
function tapsOf(
  input: number,
  output: number,
  first: number,
  count: number,
  interpolation: Interpolation,
): Taps {
  const { reach, weight } = FILTERS[interpolation];
  const scale = input / output;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const taps = {
    starts: new Int32Array(count),
    counts: new Int32Array(count),
    weights: new Int32Array(count * stride),
    stride,
  };
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(input, Math.trunc(center + support + 0.5));
    const raw = Array.from(
      { length: end - start },
      (_, k) => weight((k + start - center + 0.5) / stretch),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    taps.starts[i] = start;
    taps.counts[i] = raw.length;
    raw.forEach((each, k) => taps.weights[i * stride + k] = roundAway(each * (1 / sum) * (1 << BITS)));
  }
  return taps;
}

/** Rounds to the nearest integer, halves away from 0. */
function roundAway(value: number): number {
  return Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
}

/** Bytes whose values are clamped as they are set: a cubic reaches past both ends. */
function clampedBytes(length: number): { out: Uint8Array<ArrayBuffer>; clamped: Uint8ClampedArray<ArrayBuffer> } {
  const out = new Uint8Array(length);
  return { out, clamped: new Uint8ClampedArray(out.buffer) };
}

interface Rows {
  first: number;
  count: number;
}

function rowsOf({ data, height, width }: RgbImage, { first, count }: Rows): RgbImage {
  if (count === height) return { data, height, width };
  return { data: data.slice(first * width * 3, (first + count) * width * 3), height: count, width };
}

// Sums fit in 32 bits, which `| 0` tells the compiler: it adds twice as fast then as in doubles.
function resizeRows({ data, width: from }: RgbImage, { starts, counts, weights, stride }: Taps, rows: Rows): RgbImage {
  const width = starts.length;
  const { out, clamped } = clampedBytes(rows.count * width * 3);
  for (let y = 0, to = 0; y < rows.count; y++) {
    const row = (rows.first + y) * from * 3;
    for (let x = 0; x < width; x++, to += 3) {
      let red = 1 << (BITS - 1), green = red, blue = red;
      let at = row + starts[x]! * 3;
      for (let k = x * stride, end = k + counts[x]!; k < end; k++, at += 3) {
        const weight = weights[k]!;
        red = (red + Math.imul(data[at]!, weight)) | 0;
        green = (green + Math.imul(data[at + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[at + 2]!, weight)) | 0;
      }
      clamped[to] = red >> BITS;
      clamped[to + 1] = green >> BITS;
      clamped[to + 2] = blue >> BITS;
    }
  }
  return { data: out, height: rows.count, width };
}

function resizeColumns({ data, width }: RgbImage, { starts, counts, weights, stride }: Taps): RgbImage {
  const bytes = width * 3;
  const height = starts.length;
  const { out, clamped } = clampedBytes(height * bytes);
  const sums = new Int32Array(bytes);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < counts[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const from = (starts[y]! + k) * bytes;
      for (let x = 0; x < bytes; x++) sums[x] = (sums[x]! + Math.imul(data[from + x]!, weight)) | 0;
    }
    for (let x = 0; x < bytes; x++) clamped[y * bytes + x] = sums[x]! >> BITS;
  }
  return { data: out, height, width };
}
