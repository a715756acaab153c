import { add, mean, mul, relu, sqrt, square, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkFactor, checkPositive, checkTwoViews } from "./_check.ts";
import { crossSquares, twoViews } from "./_views.ts";

/** Options of {@linkcode vicReg}. */
export interface VICRegOptions {
  /** Factor of the distance of the views, ≥ 0; 25 by default. */
  readonly invariance?: number;
  /** Factor of the variance, ≥ 0; 25 by default. */
  readonly variance?: number;
  /** Factor of the covariance, ≥ 0; 1 by default. */
  readonly covariance?: number;
  /** Term added to the variance of a feature, > 0; 1e-4 by default. */
  readonly eps?: number;
}

/**
 * VICReg: views of a sample near each other, every feature spread over the batch, no two features that vary together.
 *
 * `L = invariance · mean (x − y)² + variance · (V(x) + V(y)) / 2 + covariance · (K(x) + K(y))` with
 * `V(x) = meanₖ max(0, 1 − √(Var xₖ + eps))`, `K(x) = Σ_{k≠l} Cov(xₖ, xₗ)² / features`, over the batch and unbiased. As in
 * the authors' code V is halved; the paper's equation 6 sums the views.
 *
 * @param z Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; not normalised.
 * @param options The factors and `eps`.
 * @returns The loss, f32 `[]`; `variance · (1 − √eps)` at collapse.
 * @throws {TypeError} If `z` is not of rank 3 or not f32.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, or an option is out of its range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { vicReg } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertAlmostEquals(await vicReg(ones([4, 2, 8])).item(), 25 * 0.99, 1e-4); // collapse
 * ```
 *
 * @see Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning",
 * arXiv:2105.04906, equations 1 to 6.
 */
export function vicReg(z: Tensor, options: VICRegOptions = {}): Tensor<"f32"> {
  checkOptions("compute vicReg()", options, ["invariance", "variance", "covariance", "eps"]);
  const { invariance = 25, variance = 25, covariance = 1, eps = 1e-4 } = options;
  checkTwoViews("vicReg", z);
  for (const [name, value] of Object.entries({ invariance, variance, covariance })) checkFactor("vicReg", name, value);
  checkPositive("vicReg", "eps", eps);
  const [batch, , features] = z.shape as [number, number, number];
  const [x, y] = twoViews(z);
  const centred = sub(z, mean(z, { dim: 0, keepDim: true }));
  const variances = mul(sum(square(centred), { dim: 0 }), 1 / (batch - 1)); // [2, features]
  const spread = mean(relu(sub(1, sqrt(add(variances, eps)))));
  const squares = twoViews(centred).map((view) => crossSquares(view, view)) as [Tensor, Tensor];
  const together = sub(mul(add(...squares), (batch - 1) ** -2), sum(square(variances)));
  const near = mul(mean(square(sub(x, y))), invariance);
  return add(add(near, mul(spread, variance)), mul(together, covariance / features));
}
