import { type Shape, sizeOf } from "../tensor/mod.ts";

/**
 * Checks a prior on the host, once, before training: every element must be a finite f32. On the GPU a NaN shows only
 * as a NaN loss.
 *
 * @param values The elements, row by row.
 * @param shape `[n, …]`: rows first.
 * @throws {TypeError} If there are not as many elements as the shape says.
 * @throws {RangeError} If some are not finite; the message names the rows.
 *
 * @example Usage
 * ```ts
 * import { checkPrior } from "@decoupled/uniformity/kernels";
 * import { assertThrows } from "@std/assert";
 *
 * checkPrior([1, 2, 3, 4], [2, 2]);
 * assertThrows(() => checkPrior([1, NaN, 3, 4], [2, 2]), RangeError, "row 0");
 * ```
 */
export function checkPrior(values: ArrayLike<number>, shape: Shape): void {
  const size = sizeOf(shape);
  if (values.length !== size) {
    throw new TypeError(`Cannot use a prior [${shape}] as it has ${size} elements: got ${values.length}`);
  }
  const width = size / (shape[0] || 1);
  const bad: number[] = [];
  for (let i = 0; i < size; i++) {
    if (Number.isFinite(Math.fround(values[i]!))) continue;
    const row = Math.floor(i / width);
    if (bad.at(-1) !== row) bad.push(row);
  }
  if (bad.length === 0) return;
  const some = bad.slice(0, 8).join(", ");
  throw new RangeError(
    `Cannot use a prior [${shape}] as every element must be finite: ${bad.length} of ${shape[0]} rows are not, ` +
      `${bad.length === 1 ? "row" : "rows"} ${some}${bad.length > 8 ? ", …" : ""}`,
  );
}
