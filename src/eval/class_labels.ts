/** Largest number of classes: those of the largest published sets are below 25,000. */
const MOST_CLASSES = 2 ** 20;

/**
 * Checks a number of classes.
 *
 * @param task What cannot be done otherwise, for the message: `compute accuracy()`.
 * @throws {RangeError} If it is no integer in [1, 2²⁰].
 */
export function checkClasses(task: string, classes: number): void {
  if (Number.isInteger(classes) && classes >= 1 && classes <= MOST_CLASSES) return;
  const rule = classes > MOST_CLASSES ? `<= ${MOST_CLASSES}` : ">= 1";
  throw new RangeError(`Cannot ${task} as classes must be an integer ${rule}: got ${classes}`);
}

/** Counts the samples of each class. */
export function classCounts(labels: Iterable<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/**
 * Checks that labels are classes.
 *
 * @throws {RangeError} If one is no integer in [0, classes).
 */
export function checkClassLabels(op: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new RangeError(
      `Cannot compute ${op}() as every label must be an integer in [0, ${classes}): got ${label} at ${i}`,
    );
  }
}
