// Host arrays of seeded numbers, and plain float64 loops to compare with.
import { key, normal, type Tensor } from "../../../src/tensor/mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";

/** Normal numbers as a tensor, seeded. */
export function points(rows: number, width: number, seed = 0): Tensor<"f32"> {
  return normal([rows, width], { key: key(seed, rows, width) });
}

/** Uniform numbers in [-1, 1), seeded. */
export function noise(count: number, seed = 0): Float32Array<ArrayBuffer> {
  return uniformNumbers(count, key(seed, count)).map((v) => 2 * v - 1);
}

/** Makes {@linkcode noise}, rounded to what f16 holds, where there is no `Float16Array` too. */
export function halfNoise(count: number, seed = 0): Float32Array<ArrayBuffer> {
  return noise(count, seed).map((v) => Math.round(2048 * v) / 2048);
}

/** A matrix in float64, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly values: Float64Array;
}

/** Fills a matrix by a function of its indices. */
export function matrix(rows: number, cols: number, element: (i: number, j: number) => number): Matrix {
  const values = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) values[i * cols + j] = element(i, j);
  return { rows, cols, values };
}

/** A rank-2 tensor in float64. */
export async function read(x: Tensor): Promise<Matrix> {
  const [rows, cols] = x.shape as [number, number];
  return { rows, cols, values: Float64Array.from(await x.data()) };
}

/** The product of two matrices. */
export function product(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.cols, (i, j) => {
    let sum = 0;
    for (let k = 0; k < a.cols; k++) sum += a.values[i * a.cols + k]! * b.values[k * b.cols + j]!;
    return sum;
  });
}

/** The transpose. */
export function transposed(a: Matrix): Matrix {
  return matrix(a.cols, a.rows, (i, j) => a.values[j * a.cols + i]!);
}

/** Squared distances of all pairs of rows. */
export function distances(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.rows, (i, j) => {
    let sum = 0;
    for (let f = 0; f < a.cols; f++) sum += (a.values[i * a.cols + f]! - b.values[j * b.cols + f]!) ** 2;
    return sum;
  });
}
