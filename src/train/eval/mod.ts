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
