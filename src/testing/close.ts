import { checkOptions } from "../tensor/internal.ts";
/** Options of {@linkcode assertClose}: how close two arrays must be. */
export interface CloseOptions {
  /** Largest error relative to the largest magnitude of `expected`. */
  rtol?: number;
  /** Largest absolute error, added to the relative one. */
  atol?: number;
}

/**
 * Checks `|actual − expected| ≤ atol + rtol · max |expected|` for every element.
 *
 * @throws {Error} At the worst element, if one is further off, not finite where the other is, or lengths differ.
 *
 * @example Usage
 * ```ts
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * assertClose([1, 2], [1, 2 + 1e-7], { rtol: 1e-6 });
 * ```
 */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, options: CloseOptions = {}): void {
  checkOptions("run assertClose()", options, ["rtol", "atol"]);
  const { rtol = 2e-6, atol = 0 } = options;
  if (actual.length !== expected.length) {
    throw new Error(`Lengths differ: actual ${actual.length}, expected ${expected.length}`);
  }
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]!));
  }
  const allowed = atol + rtol * scale;
  let worst = -1;
  let worstError = allowed;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const error = Math.abs(actual[i]! - expected[i]!);
    if (error <= worstError) continue; // false for NaN
    worst = i;
    worstError = error;
    if (Number.isNaN(error)) break;
  }
  if (worst < 0) return;
  throw new Error(
    `Values differ at ${worst}: actual ${actual[worst]}, expected ${expected[worst]}, error ${worstError} > ${allowed}`,
  );
}
