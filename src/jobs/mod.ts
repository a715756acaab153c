/**
 * Whole jobs as the programs run them: pre-training with its folder, linear evaluation, features of images.
 *
 * @module
 */
export { compileAhead, type CompileAheadOptions } from "./compile_ahead.ts";
export { checkRanks, checkStart, describeRanks, type Versions } from "./distributed_start.ts";
export { type MadeFeatures, makeFeatures, type MakeFeaturesOptions } from "./features/make_features.ts";
export type { EncoderStatistics, LinearEvent, LinearInput, LinearSettings, TaskSummary } from "./linear/events.ts";
export { linearJob } from "./linear/linear_job.ts";
export { type FeatureStatistics, featureStatistics } from "./linear/pictures.ts";
export { evaluateKnn, type EvaluationData } from "./pretrain/evaluate_knn.ts";
export { pretrainJob } from "./pretrain/job.ts";
export type { JobFacts } from "./pretrain/events.ts";
export { initialLr, kernelOf, recipeOf } from "./pretrain/from_settings.ts";
export type { EvaluationMetrics, JobEvent, JobInput, KnnMetrics } from "./pretrain/events.ts";
export { type KernelView, type NamedNeighbours, viewKernel } from "./pretrain/kernel_view.ts";
export { medianSigmaOf, uploadPrior } from "./pretrain/prior.ts";
export type { StepTimes } from "./pretrain/profile.ts";
export { type JobReport, jobReport } from "./pretrain/report.ts";
export {
  differences,
  JOB,
  type JobSettings,
  learningSettings,
  type ProgramSettings,
  resolveSettings,
  SETTINGS,
} from "./pretrain/settings.ts";
export { commitOf, type Provenance, provenance } from "./provenance.ts";
export { findCheckpoint, type FoundCheckpoint, RunFolder, type RunFolderOptions } from "./pretrain/run_folder.ts";
export type { MetricsLine } from "./pretrain/metrics_line.ts";
export { cacheFolder, TuneFiles, userTuneFiles, wantsTuning } from "./tuning.ts";
export { VERSION } from "./version.ts";
