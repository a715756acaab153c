import { cosine, type Kernel, linear, rbf } from "../../kernels/mod.ts";
import type { Stem } from "../../nn/mod.ts";
import type { BatchStatistics, LossScope } from "../../train/mod.ts";

/** Names that `--kernel` takes. */
export const KERNEL_NAMES = ["rbf", "cosine", "linear"] as const;

/** Settings of a pre-training job that decide what is learnt; a run that goes on must have the same. */
export interface LearningSettings {
  /** Data set. */
  readonly db: string;
  /** Whether the images are made for a demo and are not those of the data set. */
  readonly demo: boolean;
  /** First images only; null for all. */
  readonly limit: number | null;
  /** Side of the crops, px. */
  readonly resolution: number;
  /** Augmentation. */
  readonly augmentation: "natural" | "chexpert";
  /** Network by torchvision's name. */
  readonly network: string;
  /** First layers of the network. */
  readonly stem: Stem;
  /** Passes over the data. */
  readonly epochs: number;
  /** Samples of a step. */
  readonly batch_size: number;
  /** Views of a sample. */
  readonly n_views: number;
  /** Optimizer. */
  readonly optimizer: "sgd" | "lars";
  /** How LARS treats biases, BatchNorm and norms of 0; `"corrected"` by default. */
  readonly lars?: "corrected" | "faithful";
  /** Learning rate before it is scaled; see {@linkcode initialLr}. */
  readonly lr: number;
  /** Momentum. */
  readonly momentum: number;
  /** Weight decay. */
  readonly wd: number;
  /** Similarity of priors; null for none. */
  readonly kernel: (typeof KERNEL_NAMES)[number] | null;
  /** Width of the RBF kernel. */
  readonly sigma: number | null;
  /** Ridge λ; 0 means 1/√batch. */
  readonly lambda: number;
  /** Inverse squared distance t of the loss. */
  readonly t: number;
  /** Whether a last batch that is not full is left out. */
  readonly drop_last: boolean;
  /** Whether the network computes in f32 or, mixed, partly in f16; `"full"` by default. */
  readonly precision?: "full" | "mixed";
  /** Samples that are encoded at once; null, the default: as many as the adapter takes, and as the checkpoint says. */
  readonly micro_batch?: number | null;
  /** Whether batch normalisation has the statistics of each part of a batch or of the whole; `"part"` by default. */
  readonly batch_statistics?: BatchStatistics;
  /** Seed of weights, order and augmentation. */
  readonly seed: number;
  /** Whether the loss compares the samples of each rank or of all ranks; `"local"` by default. */
  readonly loss_scope?: LossScope;
}

/** Settings of how a job is run; they may change when it goes on. */
export interface RunningSettings {
  /** Epoch to begin with, for a run that goes on from nothing. */
  readonly start_epoch: number;
  /** Epochs between two numbered checkpoints. */
  readonly save_freq: number;
  /** Minutes after which a checkpoint is written within an epoch. */
  readonly save_minutes: number;
  /** Steps between two reports. */
  readonly print_freq: number;
  /** Epochs between two evaluations; 0 for none. */
  readonly eval_every: number;
  /** Most images that vote, and most that are classified, in an evaluation. */
  readonly eval_images: number;
  /** Workers that decode. */
  readonly workers: number;
  /** Whether the parts of steps are timed. */
  readonly profile: boolean;
}

/** All settings of a job. */
export type JobSettings = LearningSettings & RunningSettings;

const RUNNING: readonly (keyof RunningSettings)[] = [
  "start_epoch",
  "save_freq",
  "save_minutes",
  "print_freq",
  "eval_every",
  "eval_images",
  "workers",
  "profile",
];

/**
 * The learning rate of the first epoch, as the original scales it: `lr · batch / 256`, and `lr · 0.075 · √batch` on
 * ImageNet-100 (there, SimCLR's rule on top of a base of 0.3, which gives 0.36 at a batch of 256).
 */
export function initialLr({ db, lr, batch_size }: Pick<JobSettings, "db" | "lr" | "batch_size">): number {
  return db === "imagenet100" ? lr * 0.075 * Math.sqrt(batch_size) : lr * batch_size / 256;
}

/** The kernel that the settings name. */
export function kernelOf({ kernel, sigma }: Pick<JobSettings, "kernel" | "sigma">): Kernel | undefined {
  if (kernel === null) return undefined;
  if (kernel === "cosine") return cosine();
  if (kernel === "linear") return linear();
  if (sigma === null) throw new TypeError("Cannot use --kernel rbf without --sigma: got none");
  return rbf({ sigma });
}

/** Settings that decide what is learnt, for a checkpoint; the number of ranks is one of them where each has its own loss. */
export function learningSettings(settings: JobSettings, ranks = 1): Record<string, unknown> {
  const learning = Object.entries(settings).filter(([name]) => !(RUNNING as readonly string[]).includes(name));
  return { ...Object.fromEntries(learning), ...settings.loss_scope === "global" ? {} : { ranks } };
}

/** What holds where a setting is not named. */
const DEFAULTS = { batch_statistics: "part", precision: "full", loss_scope: "local", lars: "corrected" };

/**
 * Settings that differ from those of a checkpoint, as text: `--lr 0.3 (now 0.1)`, `mpirun -n 2 (now 4)`. Settings it does
 * not name are left out.
 */
export function differences(
  config: Readonly<Record<string, unknown>>,
  settings: JobSettings,
  ranks: number,
): string[] {
  const before: Record<string, unknown> = { ...DEFAULTS, ...config };
  const now: Record<string, unknown> = { ...DEFAULTS, ...learningSettings(settings, ranks) };
  if (settings.micro_batch === null) delete now.micro_batch; // goes on as it was
  return Object.keys(now).filter((name) => name in before && before[name] !== now[name]).map((name) =>
    `${name === "ranks" ? "mpirun -n" : `--${name}`} ${before[name] ?? "none"} (now ${now[name] ?? "none"})`
  );
}
