import type { Features } from "../data/mod.ts";

/**
 * Checks that features are rows of a width: with none, what goes from row to row would never end.
 *
 * @throws {TypeError} If the values are no whole rows of `dim` ≥ 1.
 */
export function checkRows(
  task: string,
  { data, dim }: { readonly data: { readonly length: number }; readonly dim: number },
): void {
  if (dim >= 1 && Number.isInteger(dim) && data.length % dim === 0) return;
  throw new TypeError(`Cannot ${task} as features must be [n, ${dim}], dim >= 1: got ${data.length} values`);
}

/**
 * Checks that features are rows, and finite: NaN compares as neither more nor less than any number, so that what sorts, counts or
 * chooses would make something of it.
 *
 * @param task What cannot be done otherwise, for the message: `compute alignment()`.
 * @throws {TypeError} If they are no rows.
 * @throws {RangeError} If one is NaN or infinite; the message names its row.
 */
export function checkFinite(task: string, features: Features): void {
  checkRows(task, features);
  const { data, dim } = features;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new RangeError(
      `Cannot ${task} as every feature must be finite: got ${data[i]} in row ${Math.floor(i / dim)}`,
    );
  }
}
