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
export { DataParallel } from "./data_parallel.ts";
export { type Method, type MethodInput, type MethodName, METHODS } from "./methods.ts";
export { MetricRing } from "./metric_ring.ts";
export type { BatchStatistics } from "./micro_batch.ts";
export { makeModel, type ModelOptions, NETWORKS } from "./networks.ts";
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
export { decodeCheckpoint, encodeCheckpoint, type ReadCheckpointOptions } from "./checkpoint_bytes.ts";
export { HostPrior } from "./host_prior.ts";
export {
  type ConvNextOrigin,
  type ConvNextState,
  convnextState,
  loadState,
  readState,
  type StateDict,
  type VitChoices,
  type VitOrigin,
  type VitState,
  vitState,
} from "../weights/mod.ts";
