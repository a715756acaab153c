/** Sizes of the batches of an epoch; each of the `ranks` has at least two samples of every batch. */
export function batchSizes(length: number, batchSize: number, dropLast: boolean, ranks = 1): number[] {
  const sizes = new Array<number>(Math.floor(length / batchSize)).fill(batchSize);
  const rest = length % batchSize;
  if (rest >= 2 * ranks && !dropLast) sizes.push(rest);
  return sizes;
}

/** The sum of sizes. */
export function countOf(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
