import { classCounts } from "./class_labels.ts";
import { key, shuffled } from "../tensor/mod.ts";

/**
 * The fold in which each sample is held out, so that every fold has each class in nearly the same share: exactly the folds
 * of scikit-learn's `StratifiedKFold(splits)` without shuffling.
 *
 * @param labels Classes `[n]`, integers.
 * @param splits Number of folds, at least 2.
 * @returns Folds `[n]`, in [0, splits).
 * @throws {RangeError} If `splits` is below 2, or every class has fewer samples than there are folds, there is only one
 *   class, or a label is not an integer.
 *
 * @example Usage
 * ```ts
 * import { stratifiedKFold } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stratifiedKFold([0, 0, 0, 1, 1, 1], 3), Int32Array.of(0, 1, 2, 0, 1, 2));
 * ```
 *
 * @see `sklearn.model_selection.StratifiedKFold`.
 */
export function stratifiedKFold(labels: ArrayLike<number>, splits: number): Int32Array<ArrayBuffer> {
  if (!Number.isInteger(splits) || splits < 2) {
    throw new RangeError(`Cannot compute stratifiedKFold() as splits must be an integer >= 2: got ${splits}`);
  }
  checkLabels("stratifiedKFold", labels);
  const codes = new Map<number, number>(); // in order of appearance
  const encoded = Array.from(labels, (label) => {
    if (!codes.has(label)) codes.set(label, codes.size);
    return codes.get(label)!;
  });
  const counts = classCounts(encoded, codes.size);
  if (counts.length < 2) {
    throw new RangeError(
      `Cannot compute stratifiedKFold() as there must be at least two classes: got ${counts.length} in ${labels.length} labels`,
    );
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  if (most < splits) {
    throw new RangeError(
      `Cannot compute stratifiedKFold() as a class must have at least as many samples as there are folds: got ${splits} ` +
        `folds and at most ${most} samples of a class`,
    );
  }
  // Sorted labels are dealt out in turn; that says how many of a class a fold gets. Their own order says which.
  const sorted = counts.flatMap((count, code) => new Array<number>(count).fill(code));
  const share = counts.map(() => new Array<number>(splits).fill(0));
  sorted.forEach((code, i) => share[code]![i % splits]!++);
  const queues = share.map((each) => each.flatMap((count, fold) => new Array<number>(count).fill(fold)));
  const next = counts.map(() => 0);
  return Int32Array.from(encoded, (code) => queues[code]![next[code]!++]!);
}

/**
 * Rows of a part of the labels, each class in its share and with at least one sample, the same ones in every run.
 *
 * @param labels Classes `[n]`.
 * @param share Part to keep, in (0, 1].
 * @param seed Seed; 0 by default.
 * @returns Rows in ascending order.
 * @throws {RangeError} If `share` is not in (0, 1], or a label is not an integer.
 */
export function labelledShare(labels: ArrayLike<number>, share: number, seed = 0): Int32Array<ArrayBuffer> {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`Cannot pick labels as the share must be in (0, 1]: got ${share}`);
  }
  checkLabels("labelledShare", labels);
  const byClass = new Map<number, number[]>();
  for (const row of shuffled(labels.length, key(seed, 0x6c6f77))) {
    const rows = byClass.get(labels[row]!) ?? [];
    byClass.set(labels[row]!, rows);
    rows.push(row);
  }
  const kept = [...byClass.values()].flatMap((rows) => rows.slice(0, Math.max(1, Math.round(share * rows.length))));
  return Int32Array.from(kept).sort();
}

function checkLabels(op: string, labels: ArrayLike<number>): void {
  for (let i = 0; i < labels.length; i++) {
    if (Number.isInteger(labels[i])) continue;
    throw new RangeError(`Cannot compute ${op}() as every label must be an integer: got ${labels[i]} at ${i}`);
  }
}
