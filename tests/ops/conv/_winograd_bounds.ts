// What Winograd's transforms make of the absolute values of their operands, in float64: what their rounding errors are parts of.
import type { ConvValues } from "./_conv2d_reference.ts";

type Matrix = readonly (readonly number[])[];
type Values = (y: number, x: number) => number;

const THIRD = 1 / 3;
/** Bt, G and At of F(3×3, 3×3) and F(4×4, 3×3). */
const MATRICES = {
  3: {
    patch: [[2, -1, -2, 1, 0], [0, -2, -1, 1, 0], [0, 2, -3, 1, 0], [0, -1, 0, 1, 0], [0, 2, -1, -2, 1]],
    window: [[0.5, 0, 0], [-0.5, -0.5, -0.5], [-1 / 6, 1 / 6, -1 / 6], [1 / 6, THIRD, 2 / 3], [0, 0, 1]],
    tile: [[1, 1, 1, 1, 0], [0, 1, -1, 2, 0], [0, 1, 1, 4, 1]],
  },
  4: {
    patch: [
      [1, -1.5, -2, 1.5, 1, 0],
      [0, -1, 0.5, 2.5, 1, 0],
      [0, 1, -2.5, 0.5, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 0.5, -1, -0.5, 1, 0],
      [0, 1, -1.5, -2, 1.5, 1],
    ],
    window: [
      [1, 0, 0],
      [THIRD, THIRD, THIRD],
      [-THIRD, THIRD, -THIRD],
      [-16 / 15, -8 / 15, -4 / 15],
      [1 / 15, -2 / 15, 4 / 15],
      [0, 0, 1],
    ],
    tile: [[1, 1, 1, 1, 1, 0], [0, 1, -1, 0.5, -2, 0], [0, 1, 1, 0.25, 4, 0], [0, 1, -1, 0.125, -8, 1]],
  },
} as const satisfies Record<number, Record<string, Matrix>>;

const transposed = (m: Matrix): Matrix => m[0]!.map((_, j) => m.map((row) => row[j]!));

/** |m| |x| |m|t. */
function sandwich(m: Matrix, x: Values): number[][] {
  const sums = m[0]!.map((_, i) => m.map((row) => row.reduce((sum, v, j) => sum + Math.abs(v * x(i, j)), 0)));
  return m.map((row) => m.map((_, j) => row.reduce((sum, v, i) => sum + Math.abs(v * sums[i]![j]!), 0)));
}

interface Image {
  readonly values: ArrayLike<number>;
  /** Images, height, width, channels. */
  readonly shape: readonly number[];
}

/** A channel of an image, from a pixel on; 0 outside. */
function windowOf({ values, shape: [, h, w, c] }: Image, n: number, y0: number, x0: number, channel: number): Values {
  return (y, x) => {
    const [py, px] = [y0 + y, x0 + x];
    return py < 0 || px < 0 || py >= h! || px >= w! ? 0 : values[((n * h! + py) * w! + px) * c! + channel]!;
  };
}

/** Calls `visit` with the image and the first pixel of every tile. */
function eachTile(edge: 3 | 4, [n, h, w]: readonly number[], visit: (n: number, y: number, x: number) => void): void {
  for (let i = 0; i < n!; i++) {
    for (let y = 0; y < h!; y += edge) for (let x = 0; x < w!; x += edge) visit(i, y, x);
  }
}

/** Of a convolution of x by 3 × 3 windows `weight(channel, out)`, whose first patch starts at `offset`, to `shape`. */
function forwardBound(
  edge: 3 | 4,
  x: Image,
  weight: (channel: number, out: number) => Values,
  offset: number,
  shape: readonly number[],
): Float64Array {
  const { patch, window, tile } = MATRICES[edge];
  const [, h, w, out] = shape as [number, number, number, number];
  const channels = Array.from({ length: x.shape[3]! }, (_, i) => i);
  const windows = Array.from({ length: out }, (_, o) => channels.map((c) => sandwich(window, weight(c, o))));
  const bound = new Float64Array(shape.reduce((a, b) => a * b, 1));
  eachTile(edge, shape, (n, y, xx) => {
    const patches = channels.map((c) => sandwich(patch, windowOf(x, n, y + offset, xx + offset, c)));
    windows.forEach((own, o) => {
      const sums = (i: number, j: number) =>
        channels.reduce((sum, c) => sum + own[c]![i]![j]! * patches[c]![i]![j]!, 0);
      sandwich(tile, sums).forEach((row, i) =>
        row.forEach((v, j) => {
          if (y + i < h && xx + j < w) bound[((n * h + y + i) * w + xx + j) * out + o] = v;
        })
      );
    });
  });
  return bound;
}

/** Of the output and of the gradients of x and of the weight, for windows of 3 × 3 and padding 1. */
export function winogradBounds(edge: 3 | 4, { g, x, weight, gradY, outShape }: ConvValues) {
  const { inChannels, outChannels } = g;
  const image = { values: x, shape: [g.n, ...g.size, inChannels] };
  const grad = { values: gradY, shape: outShape };
  const tap = (c: number, o: number): Values => (y, x) => weight[((y * 3 + x) * inChannels + c) * outChannels + o]!;
  const turned = (o: number, c: number): Values => (y, x) => tap(c, o)(2 - y, 2 - x);
  const { patch, window, tile } = MATRICES[edge];
  const gradWeight = new Float64Array(weight.length);
  for (let c = 0; c < inChannels; c++) {
    for (let o = 0; o < outChannels; o++) {
      const sums = patch.map(() => patch.map(() => 0));
      eachTile(edge, outShape, (n, y, x) => {
        const tiles = sandwich(transposed(tile), (i, j) => i < edge && j < edge ? windowOf(grad, n, y, x, o)(i, j) : 0);
        sandwich(patch, windowOf(image, n, y - 1, x - 1, c)).forEach((row, i) =>
          row.forEach((v, j) => sums[i]![j]! += v * tiles[i]![j]!)
        );
      });
      sandwich(transposed(window), (i, j) => sums[i]![j]!).forEach((row, i) =>
        row.forEach((v, j) => gradWeight[((i * 3 + j) * inChannels + c) * outChannels + o] = v)
      );
    }
  }
  return {
    y: forwardBound(edge, image, tap, -1, outShape),
    gradX: forwardBound(edge, grad, turned, -1, image.shape),
    gradWeight,
  };
}
