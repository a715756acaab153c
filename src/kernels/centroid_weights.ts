import { fullPrecision, noGrad } from "../autograd/mod.ts";
import { hatMatrix } from "../ops/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import type { Kernel } from "./kernel.ts";

/** Options of {@linkcode centroidWeights}. */
export interface CentroidWeightsOptions<P> {
  /** Similarity of the samples under the prior. */
  readonly kernel: Kernel<P>;
  /** λ ≥ 0, in the unit of the kernel's values (default 0.01); 0 means `1 / √n`. It is not multiplied by n. */
  readonly ridge?: number;
}

/**
 * Weights with which the centroids of a batch estimate the centroid of each sample's class of likes:
 * `(K + λI)⁻¹ K`, `K` the Gram matrix of the prior.
 *
 * Everything stays on the GPU: the Gram matrix and its {@linkcode hatMatrix}; nothing is read back. No
 * gradient flows to the prior. λ → ∞ makes all weights 0, a constant prior makes all of them `1 / (n + λ)`; in both
 * cases the loss is 0 and learns nothing: {@linkcode retainedVariance} and {@linkcode describeKernel} show how much is
 * left.
 *
 * When the prior holds a NaN, or `K + λI` is not positive definite in f32 or too near to that (alike samples or a smooth
 * kernel, and λ below about n · 2 · 10⁻⁷ of the largest element of K), all weights are NaN, and so is the loss; otherwise
 * their error is small, see {@linkcode hatMatrix}. {@linkcode checkPrior} finds a NaN beforehand.
 *
 * @param prior What is known of the samples, f32 `[n, d]` (or `[n]` for one number each), or several such tensors, as
 *   the kernel takes it.
 * @param options `kernel` and `ridge`.
 * @returns Weights, f32 `[n, n]`, for `decoupledUniformity`.
 * @throws {TypeError} If the kernel does not make an f32 `[n, n]`.
 * @throws {RangeError} If `ridge` is negative or not finite.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * // The first two samples have the same attributes, the third has none in common with them.
 * const prior = tensor([[1, 0], [1, 0], [0, 9]]);
 * const weights = centroidWeights(prior, { kernel: rbf({ sigma: 1 }), ridge: 0.01 });
 * const pair = 1 / 2.01;
 * assertClose(await weights.data(), [pair, pair, 0, pair, pair, 0, 0, 0, 1 / 1.01], { rtol: 1e-5 });
 * ```
 *
 * @see Dufumier et al., "Integrating Prior Knowledge in Contrastive Learning with Kernel", arXiv:2206.01646.
 */
export function centroidWeights<P>(prior: P, options: CentroidWeightsOptions<P>): Tensor<"f32"> {
  checkOptions("compute centroidWeights()", options, ["kernel", "ridge"]);
  const { kernel, ridge = 0.01 } = options;
  checkSetting("compute centroidWeights()", "ridge (0 means 1/sqrt(n))", ridge, { orZero: true });
  return noGrad(() =>
    fullPrecision(() =>
      tidy(() => {
        const gram = kernel(prior, prior);
        checkGram(gram);
        return hatMatrix(gram, { ridge: ridge || 1 / Math.sqrt(gram.shape[0]!) });
      })
    )
  );
}

function checkGram(gram: Tensor): void {
  if (gram.rank === 2 && gram.shape[0] === gram.shape[1] && gram.dtype === "f32") return;
  throw new TypeError(
    `Cannot compute centroidWeights() as the kernel must make an f32 [n, n]: got ${gram.dtype} [${gram.shape}]`,
  );
}
