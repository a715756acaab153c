import type { Features } from "../data/mod.ts";

/**
 * Scales rows to unit length, in float64: no feature of f32 is too large or too small for it. A row of zeros stays one.
 *
 * @param from First row; the first one by default.
 * @param to Row behind the last; all by default.
 */
export function unitRows({ data, dim }: Features, from = 0, to: number = data.length / dim): Float64Array {
  const rows = Float64Array.from(data.subarray(from * dim, to * dim));
  for (let i = 0; i < rows.length; i += dim) {
    let square = 0;
    for (let j = 0; j < dim; j++) square += rows[i + j]! ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = 0; j < dim; j++) rows[i + j]! *= scale;
  }
  return rows;
}
