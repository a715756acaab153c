import type { Features } from "../data/mod.ts";

/**
 * Checks that features are finite: NaN compares as neither more nor less than any number, so that what sorts, counts or
 * chooses would make something of it.
 *
 * @param task What cannot be done otherwise, for the message: `compute alignment()`.
 * @throws {RangeError} If one is NaN or infinite; the message names its row.
 */
export function checkFinite(task: string, { data, dim }: Features): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new RangeError(
      `Cannot ${task} as every feature must be finite: got ${data[i]} in row ${Math.floor(i / dim)}`,
    );
  }
}
