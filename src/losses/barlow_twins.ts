import { add, div, mean, mul, sqrt, square, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkFactor, checkPositive, checkTwoViews } from "./_check.ts";
import { crossSquares, twoViews } from "./_views.ts";

/** Options of {@linkcode barlowTwins}. */
export interface BarlowTwinsOptions {
  /** Factor λ of the redundancy, ≥ 0; 0.005 by default. */
  readonly redundancy?: number;
  /** Term added to the variance of a feature, > 0; 1e-5 by default, as batch normalisation has it. */
  readonly eps?: number;
}

/**
 * Barlow Twins: the features of two views agree, and no two features tell the same.
 *
 * `L = Σₖ (1 − Cₖₖ)² + λ Σ_{k≠l} Cₖₗ²` with the cross-correlation `C = x̂ᵀŷ / batch` of the views x and y, whose features
 * are brought to mean 0 and variance 1 (biased) over the batch.
 *
 * @param z Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; not normalised.
 * @param options `redundancy` and `eps`.
 * @returns The loss, f32 `[]`; `features` at collapse, where C is 0.
 * @throws {TypeError} If `z` is not of rank 3 or not f32.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, or an option is out of its range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { barlowTwins } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const z = tensor([[[1], [-1]], [[-1], [1]]]); // one feature, whose views say the opposite: C = -1
 * assertAlmostEquals(await barlowTwins(z).item(), 4, 1e-3);
 * ```
 *
 * @see Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", arXiv:2103.03230, equation 1.
 */
export function barlowTwins(z: Tensor, options: BarlowTwinsOptions = {}): Tensor<"f32"> {
  checkOptions("compute barlowTwins()", options, ["redundancy", "eps"]);
  const { redundancy = 0.005, eps = 1e-5 } = options;
  checkTwoViews("barlowTwins", z);
  checkFactor("barlowTwins", "redundancy", redundancy);
  checkPositive("barlowTwins", "eps", eps);
  const [batch] = z.shape as [number];
  const [x, y] = twoViews(standardised(z, eps));
  const own = mean(mul(x, y), { dim: 0 });
  const rest = sub(mul(crossSquares(x, y), batch ** -2), sum(square(own)));
  return add(sum(square(sub(1, own))), mul(rest, redundancy));
}

/** Standardises every feature of every view to mean 0 and variance 1 over the batch. */
function standardised(z: Tensor, eps: number): Tensor {
  const centred = sub(z, mean(z, { dim: 0, keepDim: true }));
  return div(centred, sqrt(add(mean(square(centred), { dim: 0, keepDim: true }), eps)));
}
