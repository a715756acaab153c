/**
 * Whether a metric that is to fall is better than the best one so far by more than `threshold`, relative to the size of the
 * best: `metric < best − threshold · |best|`. NaN is never better.
 *
 * PyTorch's `best · (1 − threshold)` is the same for a positive best; for a negative one it would take what is a little
 * worse for better, and move the best up.
 */
export function improves(metric: number, best: number, threshold: number): boolean {
  return metric < (best < 0 ? best * (1 + threshold) : best * (1 - threshold));
}
