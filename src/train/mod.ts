/**
 * Pre-training: the loop, its settings, checkpoints, and training on several ranks.
 *
 * @module
 */
export {
  captureCheckpoint,
  type Checkpoint,
  type CheckpointNotes,
  decodeCheckpoint,
  encodeCheckpoint,
  type OptimizerCheckpoint,
  readCheckpoint,
  type ReadCheckpointOptions,
  restoreCheckpoint,
  type TorchGroup,
  type TrainingPosition,
  WeightsNotFiniteError,
  writeCheckpoint,
  writeTorchCheckpoint,
} from "../checkpoints/mod.ts";
export { DataParallel } from "./data_parallel.ts";
export { MetricRing } from "./metric_ring.ts";
export type { BatchStatistics } from "./micro_batch.ts";
export {
  makeModel,
  type Method,
  type MethodInput,
  type MethodName,
  METHODS,
  type ModelOptions,
  NETWORKS,
} from "../methods/mod.ts";
export { LossNotFiniteError } from "./objective.ts";
export { pretrain, Pretraining } from "./pretrain.ts";
export type { PretrainData, PretrainReport } from "./pretrain_types.ts";
export type { LossScope, Ranks, StepAgreement, StepCost } from "./ranks.ts";
export type {
  DefaultedSettings,
  GivenSettings,
  Setting,
  SettingTable,
  SettingValue,
  SettingValues,
} from "./setting.ts";
export { type PretrainConfig, TRAINING } from "./settings.ts";
export { StepProfile } from "./step_clock.ts";
export { HostPrior } from "./host_prior.ts";
