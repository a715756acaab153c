/**
 * Pre-training: the loop, its settings, checkpoints, and training on several ranks.
 *
 * @module
 */
export {
  captureCheckpoint,
  type CheckpointNotes,
  readCheckpoint,
  restoreCheckpoint,
  WeightsNotFiniteError,
  writeCheckpoint,
} from "./checkpoint.ts";
export { type TorchGroup, writeTorchCheckpoint } from "./checkpoint_to_torch.ts";
export type { Checkpoint, OptimizerCheckpoint, TrainingPosition } from "./checkpoint_types.ts";
export type { PretrainConfig, PretrainData, PretrainReport } from "./config.ts";
export { DataParallel, type LossScope, type StepAgreement, type StepCost } from "./data_parallel.ts";
export { MetricRing } from "./metric_ring.ts";
export { loadState, readState, type StateDict } from "./model_state.ts";
export type { BatchStatistics } from "./micro_batch.ts";
export { makeModel, type ModelOptions, NETWORKS } from "./networks.ts";
export { pretrain, Pretraining } from "./pretrain.ts";
export { LossNotFiniteError } from "./pretrain_parts.ts";
export { StepProfile } from "./step_clock.ts";
export type { ReadCheckpointOptions } from "./checkpoint_file.ts";
export { HostPrior } from "./host_prior.ts";
