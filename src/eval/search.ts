import type { Device } from "../device/mod.ts";
import type { Features } from "../data/mod.ts";
import { stratifiedKFold } from "./folds.ts";
import type { LinearClassifier } from "./linear_classifier.ts";
import { checkTrainingSet, linearScores, logisticRegression } from "./logistic.ts";
import { balancedAccuracy, predictedClasses } from "./metrics.ts";
import { SGD_EPOCHS, softmaxSgd } from "./softmax_sgd.ts";
import { takeRows } from "../data/internal.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Result of a search: trials, their scores, and the classifier of the best. */
export interface SearchResult {
  /** Method of fitting. */
  readonly method: "logistic" | "sgd";
  /** Name of the hyper-parameter. */
  readonly parameter: "C" | "weight_decay";
  /** Best value of the parameter. */
  readonly best: number;
  /** Balanced accuracy of each value on each fold. */
  readonly trials: readonly { readonly value: number; readonly folds: readonly number[]; readonly mean: number }[];
  /** Fitted to all rows with the best value. */
  readonly classifier: LinearClassifier;
  /** Whether every logistic regression converged. */
  readonly converged: boolean;
}

/** Options of {@linkcode searchLinear}. */
export interface SearchOptions {
  /** Number of classes. */
  classes: number;
  /** Method of fitting; by default `logistic` below 20,000 rows, `sgd` from there on. */
  method?: "logistic" | "sgd";
  /** Folds; 3 by default. */
  splits?: number;
  /** Rows of a step of SGD; 512 by default. */
  batchSize?: number;
  /** Maximum number of epochs of SGD; 300 by default. */
  epochs?: number;
  /** Learning rate of SGD; 0.1 by default. */
  lr?: number;
  /** Seed of SGD's order; 0 by default. */
  seed?: number;
  /** Device; the default one by default. */
  device?: Device;
  /** Callback with the share that is done. */
  onProgress?: (done: number) => void;
}

/** Values of C that are tried. */
export const C_GRID: readonly number[] = [0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6];
/** Weight decays that are tried. */
export const WEIGHT_DECAY_GRID: readonly number[] = [0, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
const SGD_FROM = 20_000;

interface Fold {
  readonly rows?: Uint8Array;
}

const OPTIONS = ["classes", "method", "splits", "batchSize", "epochs", "lr", "seed", "device", "onProgress"] as const;

/**
 * Linear evaluation as the original's: tries a grid of hyper-parameters by stratified cross-validation, takes the one
 * with the best mean balanced accuracy (the first one on ties, as scikit-learn's `GridSearchCV`), and fits it to all
 * rows.
 *
 * Below 20,000 rows logistic regression with C in 0.1, 1 … 1e6; from there on SGD with weight decay in 0, 1, 1e-1 …
 * 1e-6. With two classes, C means what it means in scikit-learn, where one weight vector is fitted.
 *
 * @param features `[n, dim]`, finite.
 * @param labels Classes `[n]`, integers in [0, classes).
 * @throws {TypeError} If there is not one label for each row.
 * @throws {RangeError} If a feature is not finite, a label out of range, or the labels cannot be split into folds with two
 *   classes each.
 */
export async function searchLinear(
  features: Features,
  labels: ArrayLike<number>,
  options: SearchOptions,
): Promise<SearchResult> {
  checkOptions("searchLinear()", options, OPTIONS);
  const { classes, splits = 3 } = options;
  checkTrainingSet("searchLinear", features, labels, classes);
  const method = options.method ?? (labels.length < SGD_FROM ? "logistic" : "sgd");
  const fold = stratifiedKFold(labels, splits);
  const grid = method === "logistic" ? C_GRID : WEIGHT_DECAY_GRID;
  const folds = Array.from(
    { length: splits },
    (_, f): Fold => ({ rows: Uint8Array.from(fold, (own) => own === f ? 0 : 1) }),
  );
  checkFolds(labels, folds);
  const tasks = grid.flatMap((value) => folds.map(({ rows }) => ({ value, rows })));
  const present = new Set(Array.from(labels)).size;
  const share = tasks.length / (tasks.length + 1);
  const fit = (tasks: readonly (Fold & { value: number })[], from: number, to: number) =>
    fitAll(
      method,
      { features, labels, tasks, present },
      options,
      (done) => options.onProgress?.(from + done * (to - from)),
    );
  const { classifiers, converged } = await fit(tasks, 0, share);
  const scored = classifiers.map((classifier, i) => heldOutScore(classifier, features, labels, fold, i % splits));
  const trials = trialsOf(grid, scored, splits);
  const best = bestOf(trials);
  const final = await fit([{ value: best }], share, 1);
  return {
    method,
    parameter: method === "logistic" ? "C" : "weight_decay",
    best,
    trials,
    classifier: final.classifiers[0]!,
    converged: converged && final.converged,
  };
}

/** Scores of the folds of each value of the grid, with their mean. */
function trialsOf(grid: readonly number[], scored: readonly number[], splits: number): SearchResult["trials"] {
  return grid.map((value, i) => {
    const folds = scored.slice(i * splits, (i + 1) * splits);
    return { value, folds, mean: folds.reduce((a, b) => a + b, 0) / splits };
  });
}

/** The value of the best trial, leaving out those whose classifier diverged (NaN). */
function bestOf(trials: readonly { value: number; mean: number }[]): number {
  const told = trials.filter(({ mean }) => !Number.isNaN(mean));
  if (told.length > 0) return told.reduce((a, b) => b.mean > a.mean ? b : a).value;
  throw new RangeError("Cannot compute searchLinear() as every classifier went astray (NaN): try a smaller lr");
}

function checkFolds(labels: ArrayLike<number>, folds: readonly Fold[]): void {
  folds.forEach(({ rows }, f) => {
    const kept = new Set(Array.from(labels).filter((_, i) => rows![i]));
    if (kept.size >= 2) return;
    throw new RangeError(
      `Cannot compute searchLinear() as the training part of every fold must have at least two classes: got ${kept.size} ` +
        `without fold ${f + 1} of ${folds.length}`,
    );
  });
}

interface Fitting {
  readonly features: Features;
  readonly labels: ArrayLike<number>;
  readonly tasks: readonly (Fold & { value: number })[];
  /** Classes that occur. */
  readonly present: number;
}

async function fitAll(
  method: "logistic" | "sgd",
  { features, labels, tasks, present }: Fitting,
  options: SearchOptions,
  onProgress: (done: number) => void,
): Promise<{ classifiers: readonly LinearClassifier[]; converged: boolean }> {
  const { classes, device, batchSize, epochs = SGD_EPOCHS, lr, seed } = options;
  if (method === "sgd") {
    const problems = tasks.map(({ value: weightDecay, rows }) => ({ weightDecay, rows }));
    const classifiers = await softmaxSgd(features, labels, problems, {
      ...{ classes, device, batchSize, epochs, lr, seed },
      onProgress: (done) => onProgress(done / epochs),
    });
    return { classifiers, converged: true };
  }
  // One vector w with |w|²/2 is a softmax of ±w/2 with |w|²/4: half of C.
  const scale = present === 2 ? 0.5 : 1;
  const problems = tasks.map(({ value, rows }) => ({ C: scale * value, rows }));
  const fits = await logisticRegression(features, labels, problems, {
    ...{ classes, device },
    onProgress: (solved) => onProgress(solved / tasks.length),
  });
  return { classifiers: fits, converged: fits.every(({ converged }) => converged) };
}

function heldOutScore(
  classifier: LinearClassifier,
  { data, dim }: Features,
  labels: ArrayLike<number>,
  fold: Int32Array,
  own: number,
): number {
  const rows = Array.from(fold.keys()).filter((i) => fold[i] === own);
  const scores = linearScores(classifier, { data: takeRows(data, dim, rows), dim });
  if (scores.some(Number.isNaN)) return NaN;
  const predicted = predictedClasses(scores, classifier.classes);
  return balancedAccuracy(rows.map((row) => labels[row]!), predicted, classifier.classes);
}
