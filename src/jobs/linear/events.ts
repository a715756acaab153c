import type { Device } from "../../device/mod.ts";
import type { ImageDataset } from "../../data/mod.ts";
import type { Communicator } from "../../distributed/mod.ts";
import type { LoadedEncoder, NamedClassifier } from "../../eval/mod.ts";
import type { FeatureStatistics } from "./pictures.ts";

/** Settings of a linear evaluation. */
export interface LinearSettings {
  /** Feature that is classified. */
  readonly feature: "fc" | "pooled";
  /** Maximum number of epochs: of augmented SGD, or of each fit of SGD on features. */
  readonly epochs: number;
  /** Images or features of a step. */
  readonly batch_size: number;
  /** Learning rate. */
  readonly lr: number;
  /** Momentum. */
  readonly momentum: number;
  /** Weight decay of augmented SGD. */
  readonly wd: number;
  /** Workers that decode. */
  readonly workers: number;
  /** Seed of order, augmentation and bootstrap. */
  readonly seed: number;
  /** Side of the images, px. */
  readonly resolution: number;
  /** Part of the training labels that is used, in (0, 1]. */
  readonly label_share: number;
  /** Train on augmented images, as the original on ImageNet100. */
  readonly augmented: boolean;
  /** Solver for features; null chooses it by the number of samples. */
  readonly method: "logistic" | "sgd" | null;
  /** Pathologies by name; null: the classes. */
  readonly columns: readonly string[] | null;
  /** Draw maps and neighbours. */
  readonly maps: boolean;
  /** Write event files and embeddings for TensorBoard; not by default. */
  readonly tensorboard?: boolean;
}

/** Input of {@linkcode linearJob}. */
export interface LinearInput {
  /** Device that computes. */
  readonly device: Device;
  /** Encoder that is evaluated. */
  readonly loaded: LoadedEncoder;
  /** Images the classifier is fitted to. */
  readonly train: ImageDataset;
  /** Images it is scored on. */
  readonly test: ImageDataset;
  /** Settings. */
  readonly settings: LinearSettings;
  /** Folder of the results. */
  readonly saveDir: string;
  /** Facts for the result file, such as the checkpoint. */
  readonly facts: Readonly<Record<string, string>>;
  /** Classifiers to score; fitted when absent. */
  readonly classifiers?: readonly NamedClassifier[];
  /** The processes that encode together; this one alone by default. */
  readonly group?: Communicator;
}

/** Statistics of the test features, and of how well two augmented views of a test image agree. */
export interface EncoderStatistics extends FeatureStatistics {
  /** Mean squared distance of the unit features of two views; 0 when they agree. */
  readonly alignment: number;
}

/** Events of a linear evaluation as it goes. */
export type LinearEvent =
  | { readonly type: "note"; readonly message: string }
  | {
    readonly type: "progress";
    readonly label: string;
    readonly done: number;
    readonly text: string;
    /** Numbers of an epoch of augmented training: `epoch`, `loss` in nats, `top1` on the test images. */
    readonly values?: Readonly<Record<string, number>>;
  }
  | ({ readonly type: "result" } & TaskSummary)
  | { readonly type: "end"; readonly files: readonly string[]; readonly statistics: EncoderStatistics };

/** One row of `linear_eval.json`. */
export interface TaskSummary {
  /** Name of the task: `classes`, or the pathology. */
  readonly task: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Training samples. */
  readonly train_samples: number;
  /** Test samples. */
  readonly test_samples: number;
  /** Method of fitting. */
  readonly method: string;
  /** Hyper-parameter that was chosen. */
  readonly chosen: Readonly<Record<string, number>>;
  /** Values that were tried, with their balanced accuracy. */
  readonly trials: readonly { value: number; mean: number; folds: readonly number[] }[];
  /** Accuracy. */
  readonly top1: number;
  /** Top-5 accuracy; none with five classes or fewer. */
  readonly top5: number | null;
  /** Mean of the classes' accuracies. */
  readonly balanced_accuracy: number;
  /** Mean area under the ROC curve of the classes against the others. */
  readonly mean_auroc: number | null;
  /** The 95 % interval of that mean, by bootstrap over the test images. */
  readonly mean_auroc_interval: { readonly low: number; readonly high: number } | null;
  /** Area of each class with its interval. */
  readonly auroc: readonly ({ auc: number; low: number; high: number } | null)[];
  /** Counts, true class by row. */
  readonly confusion_matrix: readonly (readonly number[])[];
  /** Accuracy of the votes of the 20 nearest training samples (cosine, temperature 0.07). */
  readonly knn_top1: number;
  /** Share of samples whose class is among the five with the most votes; null with five classes or fewer. */
  readonly knn_top5: number | null;
  /** Accuracy of each class. */
  readonly per_class_accuracy: readonly (number | null)[];
}
