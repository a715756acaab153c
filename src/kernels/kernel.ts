import { reshape } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/**
 * A kernel: a positive semi-definite similarity of samples, as a function that makes the Gram matrix `[n, m]` of two
 * batches of priors. Any function of tensors will do; `P` is what describes a batch, a tensor `[n, d]` or several.
 *
 * @example A kernel of one's own
 * ```ts
 * import { Device, exp, mul, sqrt, squaredDistances, tensor } from "@decoupled/uniformity";
 * import { centroidWeights, type Kernel } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const laplace: Kernel = (x, y) => exp(mul(sqrt(squaredDistances(x, y)), -0.5));
 * const prior = tensor([[0, 1], [1, 1], [5, 5]]);
 * assertEquals(centroidWeights(prior, { kernel: laplace }).shape, [3, 3]);
 * ```
 */
export type Kernel<P = Tensor> = (x: P, y: P) => Tensor;

/** The rows of a prior: `[n, d]`, or `[n]` as `[n, 1]`. */
export function asRows(prior: Tensor): Tensor {
  return prior.rank === 1 ? reshape(prior, [prior.shape[0]!, 1]) : prior;
}
