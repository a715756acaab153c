/**
 * Whole jobs as the programs run them: pre-training with its folder, linear evaluation, features of images.
 *
 * @module
 */
export { checkRanks, checkStart, describeRanks, type Versions } from "./distributed_start.ts";
export { type MadeFeatures, makeFeatures, type MakeFeaturesOptions } from "./features/make_features.ts";
export type { EncoderStatistics, LinearEvent, LinearInput, LinearSettings, TaskSummary } from "./linear/events.ts";
export { linearJob } from "./linear/linear_job.ts";
export { type FeatureStatistics, featureStatistics } from "./linear/pictures.ts";
export { evaluateKnn, type EvaluationData } from "./pretrain/evaluate_knn.ts";
export { type JobEvent, pretrainJob } from "./pretrain/job.ts";
export { type KernelView, medianSigmaOf, recipeOf, uploadPrior, viewKernel } from "./pretrain/job_data.ts";
export type { Profile } from "./pretrain/job_profile.ts";
export { type JobFacts, type JobReport, jobReport } from "./pretrain/job_report.ts";
export {
  differences,
  initialLr,
  type JobSettings,
  KERNEL_NAMES,
  kernelOf,
  type LearningSettings,
  learningSettings,
  type RunningSettings,
} from "./pretrain/job_settings.ts";
export type { JobInput } from "./pretrain/job_start.ts";
export type { NamedNeighbours } from "./pretrain/kernel_section.ts";
export { findCheckpoint, type FoundCheckpoint, RunFolder } from "./run_folder.ts";
export type { MetricsLine } from "./pretrain/metrics_line.ts";
export { cacheFolder, TuneFiles, userTuneFiles, wantsTuning } from "./tuning.ts";
export { VERSION } from "./version.ts";
export type { RunFiles } from "./run_folder.ts";
