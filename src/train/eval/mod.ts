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
export {
  type LinearClassifier,
  linearScores,
  type LogisticFit,
  type LogisticOptions,
  type LogisticProblem,
  logisticRegression,
} from "./logistic.ts";
export { C_GRID, searchLinear, type SearchOptions, type SearchResult, WEIGHT_DECAY_GRID } from "./search.ts";
export { type SgdFit, type SgdProblem, softmaxSgd, type SoftmaxSgdOptions } from "./softmax_sgd.ts";
export { type LoadedEncoder, loadEncoder, type LoadEncoderOptions, randomEncoder } from "./encoder_file.ts";
export { type DatasetFeatures, datasetFeatures, type FeatureOptions, weightsDigest } from "./features.ts";
export { frozenSgd, type FrozenSgdEpoch, type FrozenSgdOptions } from "./frozen_sgd.ts";
export {
  type EncoderStatistics,
  type LinearEvent,
  type LinearInput,
  linearJob,
  type LinearSettings,
  type TaskSummary,
} from "./linear_job.ts";
export { type FeatureStatistics, featureStatistics } from "./pictures.ts";
export { alignment, effectiveRank, type PrincipalComponents, principalComponents, uniformity } from "./statistics.ts";
export { type LabelledSet, makeTask, type Predictions, scoreTask, type Task, type TaskScores } from "./task.ts";
export { type NamedClassifier, readClassifiers, writeClassifiers } from "./classifier_file.ts";
export { viewAlignment, type ViewAlignmentOptions } from "./view_alignment.ts";
