import { noGrad } from "../autograd/mod.ts";
import { div, matmul, mean, square, sub, sum } from "../ops/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode retainedVariance}. */
export interface RetainedVarianceOptions {
  /** Centroids `[n, d]` as they are before the weights; by default what n unrelated samples would give. */
  readonly centroids?: Tensor;
}

/**
 * Measures how much of the spread of the centroids the weights leave: their mean squared distance after the weights
 * over that before. Near 0, the kernel is nearly constant for this ridge: all samples share one centroid, and the loss
 * has nothing left to spread.
 *
 * Stays on the GPU, so it can be logged with the loss.
 *
 * @param weights From `centroidWeights`, f32 `[n, n]`.
 * @param options `centroids`, f32 `[n, d]`; by default orthonormal ones, the case of unrelated samples.
 * @returns f32 `[]`, in [0, 1] for orthonormal centroids and a kernel; NaN when all centroids coincide before.
 * @throws {TypeError} If `weights` is not f32 `[n, n]` with n ≥ 2, or `centroids` not f32 `[n, d]`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { centroidWeights, rbf, retainedVariance } from "@decoupled/uniformity/kernels";
 * import { assert } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const prior = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const wide = centroidWeights(prior, { kernel: rbf({ sigma: 100 }) });
 * const fair = centroidWeights(prior, { kernel: rbf({ sigma: 1 }) });
 * assert(await retainedVariance(wide).item() < 0.001);
 * assert(await retainedVariance(fair).item() > 0.5);
 * ```
 */
export function retainedVariance(weights: Tensor, options: RetainedVarianceOptions = {}): Tensor<"f32"> {
  checkOptions("compute retainedVariance()", options, ["centroids"]);
  const { centroids } = options;
  const [n] = weights.shape;
  if (weights.rank !== 2 || weights.shape[1] !== n || n! < 2 || weights.dtype !== "f32") {
    throw new TypeError(
      `Cannot compute retainedVariance() as weights must be f32 [n, n] with n >= 2: ` +
        `got weights ${weights.dtype} [${weights.shape}]`,
    );
  }
  if (centroids && (centroids.rank !== 2 || centroids.shape[0] !== n || centroids.dtype !== "f32")) {
    throw new TypeError(
      `Cannot compute retainedVariance() as centroids must be f32 [${n}, d]: ` +
        `got centroids ${centroids.dtype} [${centroids.shape}] and weights [${weights.shape}]`,
    );
  }
  return noGrad(() =>
    tidy(() => {
      if (centroids) return div(meanSquaredDistance(matmul(weights, centroids)), meanSquaredDistance(centroids));
      return div(meanSquaredDistance(weights), 2); // orthonormal rows are √2 apart
    })
  );
}

/** Mean of `‖x[i] − x[j]‖²` over pairs: `2 / (n − 1) Σᵢ ‖x[i] − mean‖²`. */
function meanSquaredDistance(x: Tensor): Tensor {
  const deviations = sub(x, mean(x, { dim: 0, keepDim: true }));
  return div(sum(square(deviations)), (x.shape[0]! - 1) / 2);
}
