import type { ViewSource } from "../data/views/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { TrainingPosition } from "../checkpoints/mod.ts";
import type { StepCost } from "./ranks.ts";
import type { HostPrior } from "./host_prior.ts";

/** Data that is learnt from. */
export interface PretrainData {
  /** Makes the views of samples. */
  source: ViewSource;
  /** Prior `[n, d]` on the device or in host memory (see {@linkcode uploadPrior}), when `config.kernel` is set. */
  prior?: Tensor | HostPrior;
}

/** The state of training after some steps. */
export interface PretrainReport extends Partial<StepCost> {
  /** Epoch under way, counted from 1. */
  readonly epoch: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Mean loss of the steps since the last report. */
  readonly loss: number;
  /** Mean squared length of the centroids of the same steps, in [0, 1] without a prior: 1 when the views of an image agree. */
  readonly centroid_square: number;
  /** Learning rate of this epoch. */
  readonly lr: number;
  /** Samples (not views) a second since the last report. */
  readonly images_per_second: number;
  /** Seconds since the start. */
  readonly seconds: number;
  /** Whether an epoch ends here. */
  readonly epochDone: boolean;
  /** Position to start from in order to go on from here. */
  readonly next: TrainingPosition;
}
