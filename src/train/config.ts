import type { Kernel } from "../kernels/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import type { TuneOptions } from "../tune/mod.ts";
import type { ViewSource } from "../data/mod.ts";
import type { LossScope } from "./data_parallel.ts";
import type { TrainingPosition } from "./checkpoint_types.ts";
import type { StepProfile } from "./step_clock.ts";
import type { StepCost } from "./data_parallel.ts";
import type { HostPrior } from "./host_prior.ts";
import type { BatchStatistics } from "./micro_batch.ts";

/** Settings of {@linkcode pretrain}; the defaults are the original's. */
export interface PretrainConfig {
  /** Passes over the data. */
  epochs: number;
  /** Samples of a step; 256 by default. */
  batchSize?: number;
  /** Views of a sample; 2 by default. */
  views?: number;
  /** `"sgd"` (the default) or `"lars"`. */
  optimizer?: "sgd" | "lars";
  /** Whether LARS repeats the original's rule (see `LARSOptions.faithful`); false by default. */
  faithfulLars?: boolean;
  /** Learning rate at the start, already scaled for the batch; 0.3 by default. */
  lr?: number;
  /** Learning rate at the end of the cosine; 1e-3 by default. */
  etaMin?: number;
  /** Momentum; 0 for SGD and 0.9 for LARS by default. */
  momentum?: number;
  /** Weight decay; 0 by default. */
  weightDecay?: number;
  /**
   * `"full"`, the default: f32. `"mixed"`: the network computes inside `autocast`, and a `GradScaler` scales the loss;
   * weights, statistics, kernels and the loss itself stay f32.
   */
  precision?: "full" | "mixed";
  /** Similarity of the samples' priors; without one, no prior enters. */
  kernel?: Kernel;
  /** Ridge λ of the centroid weights; 0.01 by default, 0 means 1/√batch. */
  ridge?: number;
  /** Inverse squared distance t of the loss; 2 by default. */
  t?: number;
  /** Seed of order and augmentation; 0 by default. */
  seed?: number;
  /** Leave a last batch that is not full out; false by default (a last batch of one sample is always left out). */
  dropLast?: boolean;
  /** Steps between two reports; 10 by default. */
  printEvery?: number;
  /** Where to begin, for a run that goes on; epoch 0, step 0 by default. */
  start?: TrainingPosition;
  /** Ends the run after the step that is under way; the last report then tells how far it came. */
  signal?: AbortSignal;
  /** Times the parts of every step; waits for the device after each of them, so that the run becomes slower. */
  profile?: StepProfile;
  /**
   * Records a step of each batch size and replays it, with the same results and less time of the host; true by default.
   * Steps that are timed by `profile`, or that several ranks take together, are never replayed.
   */
  compile?: boolean;
  /** Tunes products and convolutions before the first full batch, which changes last bits (see `tune()`); not by default. */
  tuning?: TuneOptions;
  /** The processes that train together, each with its part of every batch; this one alone by default. */
  group?: Communicator;
  /** Whether the loss compares the samples of each rank (`"local"`, the default) or of all ranks. */
  lossScope?: LossScope;
  /**
   * Samples that a rank encodes at once; by default all of its batch where the adapter takes them, else as many as it does.
   * A larger batch is encoded in parts, with the loss and the gradient of the whole : see the class `DividedStep`.
   */
  microBatch?: number;
  /**
   * Whether parts have their own statistics of batch normalisation (`"part"`, the default: one part is held at a time) or
   * those of the whole batch (`"batch"`: all parts are held at once, each in bindings of its own).
   */
  batchStatistics?: BatchStatistics;
}

/** What is learnt from. */
export interface PretrainData {
  /** Makes the views of samples. */
  source: ViewSource;
  /** Prior `[n, d]` on the device or in host memory (see {@linkcode uploadPrior}), when `config.kernel` is set. */
  prior?: Tensor | HostPrior;
}

/** The state of training after some steps. */
export interface PretrainReport extends Partial<StepCost> {
  /** Epoch, 0-based. */
  readonly epoch: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Mean loss of the steps since the last report. */
  readonly loss: number;
  /** Mean alignment `−‖centroid‖²` of the same steps, in [−1, 0]. */
  readonly align: number;
  /** Learning rate of this epoch. */
  readonly lr: number;
  /** Samples (not views) a second since the last report. */
  readonly imagesPerSecond: number;
  /** Seconds since the start. */
  readonly seconds: number;
  /** True at the end of an epoch. */
  readonly epochDone: boolean;
  /** Where to begin in order to go on from here. */
  readonly next: TrainingPosition;
}
