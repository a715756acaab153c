import type { Key } from "../tensor/mod.ts";
import { philox } from "../tensor/internal.ts";

/** Most draws: each keeps a number, and takes as long as the samples are many. */
const MOST_DRAWS = 10_000_000;

/**
 * Checks the options of an interval.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkDraws(op: string, samples: number, level: number): void {
  if (Number.isInteger(samples) && samples >= 1 && samples <= MOST_DRAWS && level > 0 && level < 1) return;
  throw new RangeError(
    `Cannot compute ${op}() as samples must be an integer in [1, ${MOST_DRAWS}] and level in (0, 1): ` +
      `got ${samples} and ${level}`,
  );
}

/** Draws `counts.length` things with replacement: how often each came. */
export function drawCounts(counts: Uint32Array, draw: number, random: Key): void {
  const n = counts.length;
  counts.fill(0);
  for (let i = 0; i < n; i += 4) {
    const words = philox([i, draw, 0, 0], random);
    for (let j = i; j < Math.min(i + 4, n); j++) counts[Math.floor(words[j - i]! / 2 ** 32 * n)]!++;
  }
}

/** Quantile of ascending values, linear between them. */
export function quantile(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const low = Math.floor(at);
  return values[low]! + (at - low) * (values[Math.min(low + 1, values.length - 1)]! - values[low]!);
}
