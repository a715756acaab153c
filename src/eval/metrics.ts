import { checkClasses, checkClassLabels } from "./class_labels.ts";
import { isScore, scoreError } from "./scores.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Checks that there are labels, and that they are classes. */
function checkLabels(op: string, labels: ArrayLike<number>, classes: number): void {
  if (labels.length === 0) throw new RangeError(`Cannot compute ${op}() as there must be at least one sample: got 0`);
  checkClassLabels(op, labels, classes);
}

function checkPair(op: string, labels: ArrayLike<number>, predicted: ArrayLike<number>): void {
  if (labels.length === predicted.length) return;
  throw new TypeError(
    `Cannot compute ${op}() as there must be a prediction for each label: got labels [${labels.length}] and ` +
      `predicted [${predicted.length}]`,
  );
}

/**
 * Counts of samples by true class (rows) and predicted class (columns).
 *
 * Agreement with scikit-learn 1.2.1, measured on the golden cases of `tests/fixtures/metrics.json` (2 to 12 classes, 8 to
 * 200 samples, with ties, absent classes and imbalance; largest difference):
 *
 * | here | scikit-learn | difference |
 * | --- | --- | --- |
 * | `confusionMatrix` | `confusion_matrix(labels=range(k))` | 0 |
 * | `accuracy` | `accuracy_score` | 0 |
 * | `balancedAccuracy` | `balanced_accuracy_score` | < 1e-15 |
 * | `topKAccuracy` | `top_k_accuracy_score`, ties too | < 1e-15 |
 * | `rocAuc` | `roc_auc_score`, ties too | < 1e-15 |
 * | `stratifiedKFold` | `StratifiedKFold(n).split` | 0 |
 * | `logisticRegression` (objective) | its optimum, C 0.1 to 100 | < 5e-7 relative |
 *
 * @param labels True classes `[n]`, integers in [0, classes).
 * @param predicted Predicted classes `[n]`, integers in [0, classes).
 * @returns Counts `[classes, classes]`, row-major.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no samples, or a class is out of range.
 *
 * @example Usage
 * ```ts
 * import { confusionMatrix } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(confusionMatrix([0, 0, 1], [0, 1, 1], 2), Float64Array.of(1, 1, 0, 1));
 * ```
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): Float64Array<ArrayBuffer> {
  checkClasses("compute confusionMatrix()", classes);
  checkPair("confusionMatrix", labels, predicted);
  checkLabels("confusionMatrix", labels, classes);
  checkLabels("confusionMatrix", predicted, classes);
  const counts = new Float64Array(classes * classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]! * classes + predicted[i]!]!++;
  return counts;
}

/**
 * Share of the samples whose prediction is their label.
 *
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no samples, or a class is not an integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { accuracy } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(accuracy([0, 1, 1, 2], [0, 1, 0, 2]), 0.75);
 * ```
 */
export function accuracy(labels: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkPair("accuracy", labels, predicted);
  for (const each of [labels, predicted]) checkLabels("accuracy", each, Infinity);
  let hits = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === predicted[i]) hits++;
  return hits / labels.length;
}

/**
 * Share of each class that is predicted rightly (its recall); NaN for a class without samples.
 *
 * @param counts A {@linkcode confusionMatrix}, `[classes, classes]`.
 * @returns `[classes]`.
 * @throws {TypeError} If the counts are no square.
 * @throws {RangeError} If a count is no integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { perClassAccuracy } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(perClassAccuracy([1, 3, 0, 2]), [0.25, 1]);
 * ```
 */
export function perClassAccuracy(counts: ArrayLike<number>): number[] {
  const wrong = Array.prototype.find.call(counts, (count) => !(Number.isInteger(count) && count >= 0));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot compute perClassAccuracy() as every count must be an integer >= 0: got ${wrong}`);
  }
  const classes = Math.round(Math.sqrt(counts.length));
  if (classes * classes !== counts.length) {
    throw new TypeError(
      `Cannot compute perClassAccuracy() as counts must be [classes, classes]: got ${counts.length} values`,
    );
  }
  return Array.from({ length: classes }, (_, row) => {
    let total = 0;
    for (let col = 0; col < classes; col++) total += counts[row * classes + col]!;
    return counts[row * classes + row]! / total;
  });
}

/**
 * Mean over the classes that have samples of the share that is predicted rightly: accuracy that imbalance does not flatter.
 *
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no samples, or a class is out of range.
 *
 * @example Usage
 * ```ts
 * import { balancedAccuracy } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(balancedAccuracy([0, 0, 0, 1], [0, 0, 0, 0], 2), 0.5);
 * ```
 */
export function balancedAccuracy(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const shares = perClassAccuracy(confusionMatrix(labels, predicted, classes)).filter((share) => !Number.isNaN(share));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/**
 * The class of the largest score of each row; the first one on ties, as NumPy's `argmax`.
 *
 * @param scores `[n, classes]`, row-major; infinite ones count as the largest or smallest.
 * @throws {TypeError} If the scores are not whole rows.
 * @throws {RangeError} If a score is NaN: nothing is its class; or `classes` is not a positive integer.
 *
 * @example Usage
 * ```ts
 * import { predictedClasses } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(predictedClasses([0.1, 0.7, 0.2, 0.9, 0.1, 0], 3), new Int32Array([1, 0]));
 * ```
 */
export function predictedClasses(scores: ArrayLike<number>, classes: number): Int32Array<ArrayBuffer> {
  checkClasses("compute predictedClasses()", classes);
  if (scores.length % classes !== 0) {
    throw new TypeError(
      `Cannot compute predictedClasses() as scores must be [n, ${classes}]: got ${scores.length} values`,
    );
  }
  const predicted = new Int32Array(scores.length / classes);
  for (let i = 0; i < predicted.length; i++) {
    let best = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[i * classes + c]!;
      if (!isScore(score)) throw scoreError("predictedClasses", score, `in row ${i}`);
      if (score > scores[i * classes + best]!) best = c;
    }
    predicted[i] = best;
  }
  return predicted;
}

/**
 * Share of the samples whose label is among the `k` classes with the largest scores. Of equal scores the class with the
 * larger number counts as larger, as in scikit-learn. With `k` not below the number of classes it is 1.
 *
 * @param labels True classes `[n]`.
 * @param scores `[n, classes]`, row-major, finite.
 * @param options `k` ≥ 1, and the number of `classes`.
 * @throws {TypeError} If there is not a row of scores for each label.
 * @throws {RangeError} If there are no samples, `k` is not a positive integer, a label is out of range or a score NaN.
 *
 * @example Usage
 * ```ts
 * import { topKAccuracy } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(topKAccuracy([0, 2], [0.3, 0.6, 0.1, 0.5, 0.4, 0.1], { k: 2, classes: 3 }), 0.5);
 * ```
 */
export function topKAccuracy(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: { k: number; classes: number },
): number {
  checkOptions("compute topKAccuracy()", options, ["k", "classes"]);
  const { k, classes } = options;
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`Cannot compute topKAccuracy() as k must be an integer >= 1: got ${k}`);
  }
  checkClasses("compute topKAccuracy()", classes);
  if (scores.length !== labels.length * classes) {
    throw new TypeError(
      `Cannot compute topKAccuracy() as scores must be [${labels.length}, ${classes}]: got ${scores.length} values`,
    );
  }
  checkLabels("topKAccuracy", labels, classes);
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const own = scores[i * classes + labels[i]!]!;
    let above = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[i * classes + c]!;
      if (!isScore(score)) throw scoreError("topKAccuracy", score, `in row ${i}`);
      if (score > own || (score === own && c > labels[i]!)) above++;
    }
    if (above < k) hits++;
  }
  return hits / labels.length;
}
