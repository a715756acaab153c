/** Arrays of numbers in host memory. */
type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/**
 * Gathers rows of a row-major array in host memory, in the order given.
 *
 * @param data `[n, width]`.
 * @param width Values of a row.
 * @param rows Indices of the rows.
 * @param into Where to, `[rows.length, width]`; a new array by default.
 * @returns `into`.
 */
export function takeRows<T extends Numbers>(
  data: T,
  width: number,
  rows: ArrayLike<number>,
  into: T = new (data.constructor as new (length: number) => T)(rows.length * width),
): T {
  for (let i = 0; i < rows.length; i++) {
    into.set(data.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  }
  return into;
}
