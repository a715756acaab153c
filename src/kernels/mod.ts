/**
 * Kernels: how alike a prior says that samples are, and the centroid weights `(K + λI)⁻¹ K` that the loss takes.
 *
 * A kernel is a function `(x, y) => gram` of tensors: {@linkcode rbf}, {@linkcode cosine}, {@linkcode linearKernel}, sums and
 * products of them over several priors ({@linkcode sumOf}, {@linkcode productOf}, {@linkcode over}, {@linkcode columns}),
 * or one's own.
 *
 * @example From a prior to the loss
 * ```ts
 * import { backward, Device, key, normal, requireGrad } from "@decoupled/uniformity";
 * import { centroidWeights, describeKernel, medianSigma, rbf } from "@decoupled/uniformity/kernels";
 * import { decoupledUniformity } from "@decoupled/uniformity/losses";
 * import { assert } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const prior = normal([16, 12], { key: key(0) }); // what is known of 16 samples
 * const kernel = rbf({ sigma: await medianSigma(prior) }); // once, before training
 * assert((await describeKernel(prior, { kernel })).verdict === "graded");
 *
 * const z = requireGrad(normal([16, 2, 32], { key: key(1) })); // embeddings of two views each
 * const weights = centroidWeights(prior, { kernel, ridge: 0.01 });
 * const loss = decoupledUniformity(z, { weights });
 * backward(loss);
 * assert(await loss.item() < 0);
 * ```
 *
 * @module
 */
export { centroidWeights, type CentroidWeightsOptions } from "./centroid_weights.ts";
export { checkPrior } from "./check_prior.ts";
export { columns } from "./columns.ts";
export { over, type PriorOf, productOf, sumOf, type SumOfOptions } from "./combine.ts";
export { cosine } from "./cosine.ts";
export { describeKernel, type KernelDescription } from "./describe_kernel.ts";
export type { Kernel } from "./kernel.ts";
export { linearKernel } from "./linear_kernel.ts";
export { medianSigma, type MedianSigmaOptions } from "./median_sigma.ts";
export { rbf, type RbfOptions } from "./rbf.ts";
export { retainedVariance, type RetainedVarianceOptions } from "./retained_variance.ts";
