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
