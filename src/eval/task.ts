import { type Features, type ImageDataset, joinClasses } from "../data/mod.ts";
import { labelledShare } from "./folds.ts";
import type { LinearClassifier } from "./linear_classifier.ts";
import { linearScores } from "./logistic.ts";
import {
  accuracy,
  balancedAccuracy,
  confusionMatrix,
  perClassAccuracy,
  predictedClasses,
  topKAccuracy,
} from "./metrics.ts";
import { type AucInterval, bootstrapAuc, bootstrapMeanAuc, type ClassScores } from "./roc.ts";
import type { DatasetFeatures } from "./features.ts";
import { takeRows } from "../data/internal.ts";

/** Samples with a class each. */
export interface LabelledSet {
  /** Features `[n, dim]`. */
  readonly features: Features;
  /** Classes `[n]`. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** Rows of the data set. */
  readonly rows: Int32Array<ArrayBuffer>;
}

/** One thing to be told apart: the classes of a data set, or one pathology. */
export interface Task {
  /** Name of the task: `classes`, or the pathology. */
  readonly name: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Images the classifier is fitted to. */
  readonly train: LabelledSet;
  /** Images it is scored on. */
  readonly test: LabelledSet;
}

/** Scores of a classifier. */
export interface TaskScores {
  /** Samples. */
  readonly samples: number;
  /** Accuracy. */
  readonly top1: number;
  /** NaN with five classes or fewer. */
  readonly top5: number;
  /** Mean of the classes' accuracies. */
  readonly balanced_accuracy: number;
  /**
   * Area under the ROC curve of each class against the others; null where the test set has none or only such samples.
   */
  readonly auroc: readonly (AucInterval | null)[];
  /** Mean of the classes that have one. */
  readonly mean_auroc: number;
  /** The 95 % interval of that mean, for other test samples; null without such a class. */
  readonly mean_auroc_interval: Pick<AucInterval, "low" | "high"> | null;
  /** Counts `[classes][classes]`: true class by row, predicted class by column. */
  readonly confusion: readonly (readonly number[])[];
  /** Accuracy of each class. */
  readonly per_class_accuracy: readonly number[];
}

/** Predictions of the test set. */
export interface Predictions {
  /** Predicted classes `[n]`. */
  readonly predicted: Int32Array;
  /** Scores `[n, classes]`. */
  readonly scores: Float64Array;
}

/**
 * Pairs the features of two sets with what they are to be told apart by: their classes, or one column of their labels,
 * where rows that are not known (NaN) are left out. The test set's classes are joined with the training set's by name.
 *
 * @param column Column (of the training set) of several labels a sample; null for classes.
 * @param share Part of the training labels to use, in (0, 1].
 * @throws {TypeError} If a set has no labels.
 * @throws {RangeError} If no row is left, or a class of the test set is not in the training set, by name or by its images.
 */
export function makeTask(
  train: { dataset: ImageDataset; encoded: DatasetFeatures },
  given: { dataset: ImageDataset; encoded: DatasetFeatures },
  { column, share, seed }: { column: number | null; share: number; seed: number },
): Task {
  const { dataset } = train;
  const test = dataset.labels && given.dataset.labels
    ? { ...given, dataset: joinClasses(given.dataset, dataset.classes) }
    : given;
  const classes = column === null ? dataset.classes : ["absent", "present"];
  const name = column === null ? "classes" : dataset.classes[column]!;
  const all = labelledSet(train, name, column);
  const held = labelledSet(test, name, column);
  const kept = share < 1 ? pick(all, labelledShare(all.labels, share, seed)) : all;
  const known = new Set(kept.labels);
  const unseen = [...new Set(held.labels)].filter((label) => !known.has(label)).map((label) => classes[label] ?? label);
  if (unseen.length > 0) {
    throw new RangeError(
      `Cannot evaluate ${name} as every class of the test set must be in the training set: ${
        unseen.slice(0, 5).join(", ")
      } ${unseen.length > 5 ? `and ${unseen.length - 5} more are` : unseen.length > 1 ? "are" : "is"} not`,
    );
  }
  if (known.size < 2) {
    throw new RangeError(
      `Cannot evaluate ${name} as the training set must have at least two classes: all ${kept.labels.length} samples are "${
        classes[kept.labels[0]!]
      }"`,
    );
  }
  return { name, classes, train: kept, test: held };
}

function labelledSet(
  { dataset, encoded }: { dataset: ImageDataset; encoded: DatasetFeatures },
  name: string,
  column: number | null,
): LabelledSet {
  const { labels, classes, split } = dataset;
  if (!labels) throw new TypeError(`Cannot evaluate ${name} as the ${split} set of "${dataset.name}" has no labels`);
  const known = Array.from(encoded.rows.keys()).filter((i) =>
    column === null || !Number.isNaN(labels[encoded.rows[i]! * classes.length + column]!)
  );
  if (known.length === 0) {
    throw new RangeError(
      `Cannot evaluate ${name} as no image of the ${split} set has a label: got ${encoded.rows.length} images`,
    );
  }
  const all = Int32Array.from(
    encoded.rows,
    (row) => column === null ? labels[row]! : labels[row * classes.length + column]!,
  );
  const wrong = column === null ? all.find((label) => !(label >= 0 && label < classes.length)) : undefined;
  if (wrong !== undefined) {
    throw new RangeError(
      `Cannot evaluate ${name} as every label of the ${split} set must be in [0, ${classes.length}): got ${wrong}`,
    );
  }
  const set = { features: encoded.features, labels: all, rows: encoded.rows };
  return known.length === all.length ? set : pick(set, Int32Array.from(known));
}

function pick({ features: { data, dim }, labels, rows }: LabelledSet, kept: Int32Array): LabelledSet {
  return {
    features: { data: takeRows(data, dim, kept), dim },
    labels: Int32Array.from(kept, (i) => labels[i]!),
    rows: Int32Array.from(kept, (i) => rows[i]!),
  };
}

/** Scores a classifier on the test set of a task. */
export function scoreTask(
  { classes: { length: classes }, test: { features, labels } }: Task,
  classifier: LinearClassifier,
  seed = 0,
): TaskScores & Predictions {
  const scores = linearScores(classifier, features);
  const predicted = predictedClasses(scores, classes);
  const counts = confusionMatrix(labels, predicted, classes);
  return {
    samples: labels.length,
    top1: accuracy(labels, predicted),
    top5: classes > 5 ? topKAccuracy(labels, scores, { k: 5, classes }) : NaN,
    balanced_accuracy: balancedAccuracy(labels, predicted, classes),
    ...areasOf(labels, scores, { classes, seed }),
    confusion: Array.from(
      { length: classes },
      (_, row) => Array.from(counts.subarray(row * classes, (row + 1) * classes)),
    ),
    per_class_accuracy: perClassAccuracy(counts),
    predicted,
    scores,
  };
}

/** The areas under the ROC curves of the classes and of their mean, with intervals. */
function areasOf(
  labels: Int32Array,
  scores: Float64Array,
  { classes, seed }: { classes: number; seed: number },
): Pick<TaskScores, "auroc" | "mean_auroc" | "mean_auroc_interval"> {
  const draws = { seed, samples: Math.max(200, Math.min(1000, Math.floor(2e7 / labels.length / classes))) };
  const sets = Array.from({ length: classes }, (_, c): ClassScores | null => {
    const positive = Array.from(labels, (label) => label === c);
    const count = positive.filter(Boolean).length;
    return count === 0 || count === labels.length ? null : { positive, scores: marginScores(scores, c, classes) };
  });
  const auroc = sets.map((each) => each && bootstrapAuc(each.positive, each.scores, draws));
  const areas = auroc.flatMap((each) => each ? [each.auc] : []);
  const known = sets.filter((each) => each !== null);
  return {
    auroc,
    mean_auroc: areas.reduce((sum, each) => sum + each, 0) / areas.length,
    mean_auroc_interval: known.length === 0 ? null : bootstrapMeanAuc(known, draws),
  };
}

/** The log-odds of a class: its score less the logSumExp of the others. A probability saturates, this does not. */
export function marginScores(scores: Float64Array, own: number, classes: number): Float64Array {
  return Float64Array.from({ length: scores.length / classes }, (_, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    let top = -Infinity;
    row.forEach((score, c) => top = c === own ? top : Math.max(top, score));
    const others = row.reduce((sum, score, c) => c === own ? sum : sum + Math.exp(score - top), 0);
    return row[own]! - top - Math.log(others);
  });
}
