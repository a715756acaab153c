// The list of ops: one line a file.
export { batchNorm, type BatchNormOptions } from "./batch_norm.ts";
export { abs, clamp, exp, log, neg, relu, sigmoid, sqrt, square, tanh } from "./unary.ts";
