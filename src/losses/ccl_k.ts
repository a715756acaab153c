import { detach, fullPrecision } from "../autograd/mod.ts";
import { add, exp, l2Normalize, log, matmul, maximum, mean, mul, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkPositive, checkTwoViews, checkWeights } from "./_check.ts";
import { identity, twoViews } from "./_views.ts";
import type { TemperatureOptions } from "./info_nce.ts";

/** The least number that is told from 0. */
const LEAST = 1e-37;

/**
 * CCL-K: conditional contrastive learning with a kernel; each view must find what the other view is expected to be where
 * the prior is like its own.
 *
 * `L = −meanᵢ log(pᵢ / (pᵢ + Σ_{j≠i} sᵢⱼ))` with `sᵢⱼ = exp(xᵢ·yⱼ/τ)` of the unit-length first and second views, and
 * `pᵢ = Σⱼ sᵢⱼ αⱼᵢ` the estimate of `E[exp(xᵢ·y/τ) | prior of i]` that `α = (K + λI)⁻¹K` gives; averaged over both orders of
 * the views. This is WeaklySup-InfoNCE of the paper. An estimate may be less than any expectation can be, and below 0: it
 * is then taken as that least value, `exp(−1/τ)`, and has no gradient.
 *
 * @param z Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; normalised here.
 * @param options `weights`: α, f32 `[batch, batch]`, from `centroidWeights`; no gradient flows through them. `temperature`
 *   (default 0.1).
 * @returns The loss, f32 `[]`; `log(batch)` at collapse where α's columns sum to 1, as the identity's do.
 * @throws {TypeError} If `z` is not of rank 3 or not f32, or `weights` is not f32 `[batch, batch]`.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, or `temperature` is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
 * import { cclK } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const weights = centroidWeights(tensor([[0], [100]]), { kernel: rbf({ sigma: 1 }), ridge: 1e-6 }); // nothing alike
 * const z = tensor([[[1, 0], [1, 0]], [[-1, 0], [-1, 0]]]);
 * const loss = cclK(z, { weights, temperature: 1 });
 * assertAlmostEquals(await loss.item(), Math.log(1 + Math.exp(-2)), 1e-5);
 * ```
 *
 * @see Tsai et al., "Conditional Contrastive Learning with Kernel", arXiv:2202.05458, definition 3.2.
 */
export function cclK(z: Tensor, options: TemperatureOptions & { readonly weights: Tensor }): Tensor<"f32"> {
  checkOptions("compute cclK()", options, ["weights", "temperature"]);
  const { weights, temperature = 0.1 } = options;
  checkTwoViews("cclK", z);
  checkPositive("cclK", "temperature", temperature);
  checkWeights("cclK", z, weights);
  const [batch] = z.shape as [number];
  const [x, y] = twoViews(l2Normalize(z));
  const products = fullPrecision(() => matmul(x, y, { transposeB: true }));
  const s = exp(mul(sub(products, 1), 1 / temperature)); // at most 1; the factor exp(-1/τ) leaves the ratio as it is
  const others = mul(s, sub(1, identity(batch, z.device)));
  const least = Math.max(Math.exp(-2 / temperature), LEAST);
  const alpha = detach(weights);
  // Rows have x as anchor, columns y: s of the one is the other's transposed, and so is α, which is symmetric.
  const sides = [1, 0].map((dim) => {
    const found = maximum(sum(mul(s, alpha), { dim }), least);
    return mean(sub(log(add(found, sum(others, { dim }))), log(found)));
  }) as [Tensor, Tensor];
  return mul(add(...sides), 0.5);
}
