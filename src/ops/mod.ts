/**
 * Every op with the types of its options. The ops for general use are in the package's root too; here alone are those
 * made for one loss or kernel (`pairTerm`, `viewCentroids`, `contrastiveTerm`, `hatMatrix`) and `isFactored`.
 *
 * @example The type of options
 * ```ts
 * import { conv2d, Device, ones } from "@decoupled/uniformity";
 * import type { Conv2dOptions } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const options: Conv2dOptions = { stride: 2, padding: 1 };
 * assertEquals(conv2d(ones([1, 8, 8, 3]), ones([3, 3, 3, 16]), options).shape, [1, 4, 4, 16]);
 * ```
 *
 * @module
 */
// One line a file.
export { cast } from "./elementwise/cast.ts";
export { batchNorm, type BatchNormOptions } from "./norm/batch_norm.ts";
export { abs, clamp, exp, log, neg, sqrt, square } from "./elementwise/unary.ts";
export { hardswish, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "./elementwise/activations.ts";
export { dropout, type DropoutOptions, stochasticDepth } from "./elementwise/dropout.ts";
export { interpolate, type InterpolateOptions } from "./conv/interpolate.ts";
export type { ResizeMode } from "./conv/resize_windows.ts";
export { groupNorm, type GroupNormOptions } from "./norm/group_norm.ts";
export { einsum } from "./product/einsum.ts";
export { erf, gelu, type GeluOptions } from "./elementwise/gelu.ts";
export { attention, type AttentionOptions, selfAttention, type SelfAttentionOptions } from "./attention/attention.ts";
export { layerNorm, type LayerNormOptions } from "./norm/layer_norm.ts";
export { rbfGram, type RbfGramOptions } from "./pairs/rbf_gram.ts";
export { squaredDistances } from "./pairs/squared_distances.ts";
export { avgPool2d, type AvgPool2dOptions } from "./conv/avg_pool2d.ts";
export { globalAvgPool } from "./conv/global_avg_pool.ts";
export { maxPool2d } from "./conv/max_pool2d.ts";
export type { Pool2dOptions, Size2d } from "./conv/pool_geometry.ts";
export { pairTerm } from "./pairs/pair_term.ts";
export { viewCentroids } from "./pairs/view_centroids.ts";
export { crossEntropy } from "./reduce/cross_entropy.ts";
export { l2Normalize } from "./norm/l2_normalize.ts";
export { linear } from "./product/linear.ts";
export { matmul, type MatmulOptions } from "./product/matmul.ts";
export { conv2d, type Conv2dOptions } from "./conv/conv2d.ts";
export { convTranspose2d, type ConvTranspose2dOptions } from "./conv/conv_transpose2d.ts";
export type { Windows2d } from "./conv/geometry.ts";
export type { Operand } from "./elementwise/elementwise.ts";
export { add, div, maximum, minimum, mul, pow, sub } from "./elementwise/binary.ts";
export { mean, type ReduceOptions, sum } from "./reduce/sum.ts";
export { reshape, squeeze, unsqueeze } from "./move/reshape.ts";
export { cholesky, type CholeskyOptions, isFactored } from "./linalg/cholesky.ts";
export { choleskySolve, triangularSolve, type TriangularSolveOptions } from "./linalg/triangular_solve.ts";
export { hatMatrix, type HatMatrixOptions } from "./linalg/hat_matrix.ts";
export { cosineGram } from "./pairs/cosine_gram.ts";
export { linearGram } from "./pairs/linear_gram.ts";
export { broadcastTo } from "./move/broadcast_to.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./elementwise/compare.ts";
export { concat, stack } from "./move/concat.ts";
export { flip } from "./move/flip.ts";
export { embedding, type EmbeddingOptions, gather, indexSelect, type Indices } from "./move/index_select.ts";
export { cumsum } from "./move/cumsum.ts";
export { sort, type Sorted, type SortOptions, topK, type TopKOptions } from "./move/sort.ts";
export { pad } from "./move/pad.ts";
export { permute, transpose } from "./move/permute.ts";
export { slice, type SliceRange } from "./move/slice.ts";
export { where } from "./elementwise/where.ts";
export { argMax } from "./reduce/arg_max.ts";
export { max, min } from "./reduce/max.ts";
export { logSoftmax, logSumExp, softmax } from "./reduce/softmax.ts";
export { variance, type VarianceOptions } from "./reduce/variance.ts";
export { contrastiveTerm, type ContrastiveTermOptions } from "./pairs/contrastive_term.ts";
