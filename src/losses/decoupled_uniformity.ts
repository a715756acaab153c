import { detach, fullPrecision, noGrad } from "../autograd/mod.ts";
import { div, matmul, pairTerm, square, sum, viewCentroids } from "../ops/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkPositive, checkViews, checkWeights } from "./_check.ts";

/** Options of {@linkcode decoupledUniformity}. */
export interface DecoupledUniformityOptions {
  /** Centroid weights, f32 `[batch, batch]`, from `centroidWeights`; no gradient flows through them. */
  readonly weights?: Tensor;
  /** Inverse squared distance on the sphere, dimensionless, > 0 (default 2). */
  readonly t?: number;
}

/**
 * Decoupled uniformity: spreads the centroids of the views over the unit ball.
 *
 * `L = log mean_{i≠j} exp(−t ‖μᵢ − μⱼ‖²)`, where `μᵢ` is the mean of sample i's unit-length views, not normalised again,
 * and with `weights` `α` the estimate `Σⱼ αᵢⱼ μⱼ` of it that a prior gives. `L ≤ 0`, and 0 means that every centroid
 * coincides (collapse); without `weights`, also `L ≥ −4t`.
 *
 * The pairs are those of the batch given: on several devices, gather the embeddings first.
 *
 * @param z Embeddings of the views, f32 `[batch, views, features]`, batch ≥ 2; normalised here, not by the caller.
 * @param options `weights` and `t`.
 * @returns The loss, f32 `[]`.
 * @throws {TypeError} If `z` is not of rank 3 or not f32, or `weights` is not f32 `[batch, batch]`.
 * @throws {RangeError} If `batch < 2`, there are no views, or `t` is not a positive finite number.
 *
 * @example Without a prior
 * ```ts
 * import { backward, Device, requireGrad, tensor } from "@decoupled/uniformity";
 * import { decoupledUniformity } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * // Two samples with two views each: the centroids are (1, 0) and (-1, 0), at squared distance 4.
 * const z = requireGrad(tensor([[[2, 0], [1, 0]], [[-1, 0], [-3, 0]]]));
 * const loss = decoupledUniformity(z, { t: 2 });
 * backward(loss);
 * assertAlmostEquals(await loss.item(), -8, 1e-5);
 * ```
 *
 * @see Dufumier et al., "Integrating Prior Knowledge in Contrastive Learning with Kernel", arXiv:2206.01646.
 */
export function decoupledUniformity(z: Tensor, options: DecoupledUniformityOptions = {}): Tensor<"f32"> {
  checkOptions("compute decoupledUniformity()", options, ["weights", "t"]);
  return pairTerm(estimatedCentroids(z, options), { t: options.t ?? 2 });
}

/** Result of {@linkcode decoupledUniformityMetrics}; all tensors `[]` on the GPU, read when the caller wants. */
export interface DecoupledUniformityMetrics {
  /** The loss, to differentiate. */
  readonly loss: Tensor;
  /**
   * Mean squared length `mean_i ‖μᵢ‖²` of the centroids that the loss looks at, in [0, 1] without `weights`: 1 when the
   * views of a sample agree. The original logs its negative as "Alignment".
   */
  readonly centroid_square: Tensor;
}

/**
 * Computes {@linkcode decoupledUniformity} with the metrics that the original logs, computed once and not read back:
 * collect them on the device and read many at a time.
 *
 * @param z As for {@linkcode decoupledUniformity}; errors likewise.
 * @param options `weights` and `t`.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { decoupledUniformityMetrics } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const { loss, centroid_square } = decoupledUniformityMetrics(ones([4, 2, 3])); // collapse
 * assertAlmostEquals(await centroid_square.item(), 1, 1e-6);
 * assertAlmostEquals(await loss.item(), 0, 1e-6);
 * ```
 */
export function decoupledUniformityMetrics(
  z: Tensor,
  options: DecoupledUniformityOptions = {},
): DecoupledUniformityMetrics {
  checkOptions("compute decoupledUniformityMetrics()", options, ["weights", "t"]);
  const centroids = estimatedCentroids(z, options);
  const loss = pairTerm(centroids, { t: options.t ?? 2 });
  const centroid_square = noGrad(() => tidy(() => div(sum(square(centroids)), z.shape[0]!)));
  return { loss, centroid_square };
}

/** The centroids whose pairs the loss looks at, `[batch, features]`. */
function estimatedCentroids(z: Tensor, { weights, t = 2 }: DecoupledUniformityOptions): Tensor {
  checkViews("decoupledUniformity", z);
  checkPositive("decoupledUniformity", "t", t);
  if (!weights) return viewCentroids(z);
  checkWeights("decoupledUniformity", z, weights);
  return fullPrecision(() => matmul(detach(weights), viewCentroids(z)));
}
