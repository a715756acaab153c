import type { Histogram } from "../../formats/internal.ts";

/** Bins of a histogram. */
const BINS = 40;

/** Histogram of the values that are finite, in bins of one width; null without any. */
export function histogramOf(values: ArrayLike<number>): Histogram | null {
  let [min, max, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    [min, max, sum, squares] = [Math.min(min, value), Math.max(max, value), sum + value, squares + value * value];
  }
  if (min > max) return null;
  const width = (max - min) / BINS || 1;
  const counts = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.min(BINS - 1, Math.floor((values[i]! - min) / width));
    if (Number.isFinite(values[i]!)) counts[bin]! += 1;
  }
  const edges = counts.map((_, i) => i === BINS - 1 && max > min ? max : min + (i + 1) * width);
  return { min, max, sum, squares, edges, counts };
}
