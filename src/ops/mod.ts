// The list of ops: one line a file.
export { batchNorm, type BatchNormOptions } from "./batch_norm.ts";
export { abs, clamp, exp, log, neg, relu, sigmoid, sqrt, square, tanh } from "./unary.ts";
export { rbfGram, type RbfGramOptions } from "./rbf_gram.ts";
export { squaredDistances } from "./squared_distances.ts";
