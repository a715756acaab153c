/**
 * Evaluation of encoders: features of images, linear probes, k nearest neighbours, retrieval, their scores, and intervals
 * that tell whether two encoders differ.
 *
 * @module
 */
export { labelledShare, stratifiedKFold } from "./folds.ts";
export {
  accuracy,
  balancedAccuracy,
  confusionMatrix,
  perClassAccuracy,
  predictedClasses,
  topKAccuracy,
} from "./metrics.ts";
export { type AucInterval, bootstrapAuc, type BootstrapOptions, rocAuc, rocCurve } from "./roc.ts";
export type { LinearClassifier } from "./linear_classifier.ts";
export { linearScores, type LogisticFit, logisticRegression } from "./logistic.ts";
export type { LogisticOptions, LogisticProblem } from "./logistic_solver.ts";
export { C_GRID, searchLinear, type SearchOptions, type SearchResult, WEIGHT_DECAY_GRID } from "./search.ts";
export { type SgdFit, type SgdProblem, softmaxSgd, type SoftmaxSgdOptions } from "./softmax_sgd.ts";
export { type LoadedEncoder, loadEncoder, type LoadEncoderOptions, randomEncoder } from "./encoder_file.ts";
export { type DatasetFeatures, datasetFeatures, type FeatureOptions, weightsDigest } from "./features.ts";
export { frozenSgd, type FrozenSgdEpoch, type FrozenSgdOptions } from "./frozen_sgd.ts";
export { alignment, effectiveRank, type PrincipalComponents, principalComponents, uniformity } from "./statistics.ts";
export { type LabelledSet, makeTask, type Predictions, scoreTask, type Task, type TaskScores } from "./task.ts";
export { type FittedOn, type NamedClassifier, readClassifiers, writeClassifiers } from "./classifier_file.ts";
export { viewAlignment, type ViewAlignmentOptions } from "./view_alignment.ts";
export { collectRows, type EncodedRows, rowsOfRank } from "./distributed_encode.ts";
export { umap, type UmapOptions } from "./embed.ts";
export { encode, type EncodeOptions, type FeatureEncoder } from "./encode.ts";
export { encodeImages, type EncodeImagesOptions } from "./encode_images.ts";
export type { KernelNeighbourList, KernelNeighbours } from "./kernel_neighbours.ts";
export { knn, type KnnOptions, type KnnScores, type LabelledFeatures } from "./knn.ts";
export {
  type IntervalOptions,
  type MeanInterval,
  meanInterval,
  type PairedDifference,
  pairedDifference,
  type SeedScores,
  type Verdict,
} from "./paired.ts";
export { centredUnit, labelChance, labelRate, matchRate, meanOf, nearest, type Neighbours } from "./retrieval.ts";
