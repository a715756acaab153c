/**
 * Pre-training, evaluation, checkpoints and reports.
 *
 * @module
 */
export * from "../formats/public.ts";
export * from "./eval/mod.ts";
export { umap, type UmapOptions } from "./embed.ts";
export * from "./features/mod.ts";
export {
  captureCheckpoint,
  type Checkpoint,
  type CheckpointNotes,
  type OptimizerCheckpoint,
  restoreCheckpoint,
  type TrainingPosition,
  WeightsNotFiniteError,
} from "./checkpoint.ts";
export { readCheckpoint, type ReadCheckpointOptions, writeCheckpoint } from "./checkpoint_file.ts";
export { DataParallel, type LossScope, type StepAgreement, type StepCost } from "./distributed.ts";
export { type KernelNeighbourList, type KernelNeighbours } from "./kernel_neighbours.ts";
export type { NamedNeighbours } from "./report/kernel_section.ts";
export { collectRows, type EncodedRows, rowsOfRank } from "./distributed_encode.ts";
export { checkRanks, checkStart, describeRanks, type Versions } from "./distributed_start.ts";
export { encode, type EncodeOptions, type Encoder } from "./encode.ts";
export type { MetricsLine } from "./metrics_line.ts";
export { MetricRing } from "./metric_ring.ts";
export { encodeImages, type EncodeImagesOptions } from "./encode_images.ts";
export { HostPrior } from "./host_prior.ts";
export { evaluateKnn, type EvaluationData } from "./evaluate_knn.ts";
export { type JobEvent, pretrainJob } from "./job.ts";
export type { Profile } from "./job_profile.ts";
export type { JobInput } from "./job_start.ts";
export {
  imageSource,
  type ImageSourceOptions,
  type KernelView,
  medianSigmaOf,
  recipeOf,
  uploadPrior,
  viewKernel,
} from "./job_data.ts";
export { type JobFacts, type JobReport, jobReport } from "./job_report.ts";
export {
  differences,
  initialLr,
  type JobSettings,
  KERNEL_NAMES,
  kernelOf,
  type LearningSettings,
  learningSettings,
  type RunningSettings,
} from "./job_settings.ts";
export { knn, type KnnOptions, type KnnScores, type LabelledFeatures } from "./knn.ts";
export { type EvaluationBatch, evaluationBatches, type EvaluationOptions, someRows } from "./labelled_images.ts";
export { makeModel, type ModelOptions, NETWORKS } from "./networks.ts";
export { loadState, readState, type StateDict } from "./model_state.ts";
export {
  centredUnit,
  type Features,
  labelChance,
  labelRate,
  matchRate,
  meanOf,
  nearest,
  type Neighbours,
} from "./retrieval.ts";
export {
  type ChartText,
  COLORS,
  errorBars,
  heatMap,
  histogram,
  imageMap,
  lineChart,
  type Placed,
  type Range,
  type Series,
} from "./report/charts.ts";
export { type Best, Html, html, type HtmlValue, page, type Section, table } from "./report/html.ts";
export { batchSizes, LossNotFiniteError } from "./pretrain_parts.ts";
export { pretrain, type PretrainConfig, type PretrainData, Pretraining, type PretrainReport } from "./pretrain.ts";
export { StepProfile } from "./step_clock.ts";
export { type SourceTimes, StreamedImages, type StreamedImagesOptions } from "./streamed_images.ts";
export { UploadedImages } from "./uploaded_images.ts";
export { dataUris } from "./report/images.ts";
export { ResidentImages } from "./resident_images.ts";
export { findCheckpoint, type FoundCheckpoint, type RunFiles, RunFolder } from "./run_folder.ts";
export type { EpochPlan, ViewBatch, ViewSource } from "./view_source.ts";
export { cacheFolder, TuneFiles, userTuneFiles, wantsTuning } from "./tuning.ts";
export { VERSION } from "./version.ts";
