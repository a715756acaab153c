// The list of ops: one line a file.
export { batchNorm, type BatchNormOptions } from "./batch_norm.ts";
export { abs, clamp, exp, log, neg, relu, sigmoid, sqrt, square, tanh } from "./unary.ts";
export { rbfGram, type RbfGramOptions } from "./rbf_gram.ts";
export { squaredDistances } from "./squared_distances.ts";
export { avgPool2d, type AvgPool2dOptions } from "./avg_pool2d.ts";
export { globalAvgPool } from "./global_avg_pool.ts";
export { maxPool2d } from "./max_pool2d.ts";
export type { Pool2dOptions, Size2d } from "./_pool2d.ts";
export { pairTerm } from "./pair_term.ts";
export { viewCentroids } from "./view_centroids.ts";
export { crossEntropy } from "./cross_entropy.ts";
export { l2Normalize } from "./l2_normalize.ts";
export { linear } from "./linear.ts";
export { matmul, type MatmulOptions } from "./matmul.ts";
export { conv2d, type Conv2dOptions } from "./conv2d.ts";
