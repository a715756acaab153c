// What other folders use beside mod.ts; not part of the package's interface.
export { conv2dWithMoments } from "./conv/conv2d.ts";
export { normConv2d, readsNormalized } from "./conv/norm_conv2d.ts";
export { addNorms, addsNormalized } from "./norm/add_norms.ts";
export { batchNormOf } from "./norm/batch_norm.ts";
export { gradInput, mergeSums, reduceGrads } from "./norm/batch_norm_grad.ts";
export {
  fewMoments,
  isRemade,
  mergeMoments,
  normalize,
  oneDType,
  REMAKES,
  type RunningStatistics,
  sliceMoments,
  type TrainingNorm,
} from "./norm/batch_norm_passes.ts";
export type { Answers, Question, Work } from "./shared/answers.ts";
export { NAN_BITS } from "./shared/params.ts";
export { policyOf } from "./shared/policy.ts";
