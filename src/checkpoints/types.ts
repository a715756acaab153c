import type { GradScalerState } from "../optim/mod.ts";
import type { StateDict } from "../weights/mod.ts";

/** Position of training. */
export interface TrainingPosition {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done of the next one. */
  readonly step: number;
}

/** State of an optimizer. */
export interface OptimizerCheckpoint {
  /** Name of the optimizer: `"sgd"`, `"lars"`, `"adam"` or `"adamw"`; empty where the file does not say. */
  readonly kind: string;
  /** Steps taken. */
  readonly steps: number;
  /**
   * State of each parameter, by the state's name and the parameter's, in PyTorch's layout: `velocity` of SGD with
   * momentum and of LARS, `expAvg` and `expAvgSq` of Adam; none of SGD without momentum.
   */
  readonly states: Readonly<Record<string, StateDict>>;
  /** Scale of the loss; in mixed precision only. */
  readonly scaler?: GradScalerState;
}

/** Contents of a checkpoint file. */
export interface Checkpoint {
  /** Parameters, buffers and counters in PyTorch's names and layout. */
  readonly weights: StateDict;
  /** Name of the network, such as `resnet18`; null when the file does not say. */
  readonly network: string | null;
  /** Position of training; null for files of weights only. */
  readonly position: TrainingPosition | null;
  /** State of the optimizer; null when the file has none. */
  readonly optimizer: OptimizerCheckpoint | null;
  /**
   * State that training keeps beside the weights, such as their averages under `average.NAME`; nothing where it is left
   * out.
   */
  readonly beside?: StateDict;
  /** Whether tables of an `Embedding` are `[features, rows]`, as in files of before they had PyTorch's layout. */
  readonly oldTables?: boolean;
  /** Settings of the run; empty when the file has none. */
  readonly config: Readonly<Record<string, unknown>>;
}
