import type { RgbImage } from "./resize.ts";

/** A part of an image that is yet to be made. */
export interface Window {
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

// Weights are integers with this many bits behind the point: sums of 255 times weights that add up to 1 fit in 31 bits.
const BITS = 22;

/**
 * The pixels of a window of an image that is resized to `size`, bilinear with antialiasing: the same as those of the
 * whole, at the cost of the window.
 */
export function resizeWindow(image: RgbImage, size: { height: number; width: number }, window: Window): RgbImage {
  const rows = triangleTaps(image.height, size.height, window.top, window.height);
  const columns = triangleTaps(image.width, size.width, window.left, window.width);
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
function triangleTaps(input: number, output: number, first: number, count: number): Taps {
  const scale = input / output;
  const support = Math.max(scale, 1);
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
      (_, k) => Math.max(0, 1 - Math.abs((k + start - center + 0.5) / support)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    taps.starts[i] = start;
    taps.counts[i] = raw.length;
    raw.forEach((weight, k) => taps.weights[i * stride + k] = Math.trunc(0.5 + weight * (1 / sum) * (1 << BITS)));
  }
  return taps;
}

interface Rows {
  first: number;
  count: number;
}

function rowsOf({ data, height, width }: RgbImage, { first, count }: Rows): RgbImage {
  if (count === height) return { data, height, width };
  return { data: data.slice(first * width * 3, (first + count) * width * 3), height: count, width };
}

function resizeRows(image: RgbImage, { starts, counts, weights, stride }: Taps, rows: Rows): RgbImage {
  const width = starts.length;
  const out = new Uint8Array(rows.count * width * 3);
  for (let y = 0, to = 0; y < rows.count; y++) {
    const row = (rows.first + y) * image.width * 3;
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
  return { data: out, height: rows.count, width };
}

function resizeColumns(image: RgbImage, { starts, counts, weights, stride }: Taps): RgbImage {
  const bytes = image.width * 3;
  const height = starts.length;
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
