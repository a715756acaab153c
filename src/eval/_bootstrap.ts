import type { Key } from "../tensor/mod.ts";
import { philox } from "../tensor/internal.ts";

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
