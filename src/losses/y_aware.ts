import { detach, fullPrecision, noGrad } from "../autograd/mod.ts";
import { broadcastTo, div, l2Normalize, logSumExp, matmul, mean, mul, reshape, sub, sum } from "../ops/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkPositive, checkViews, checkWeights } from "./_check.ts";
import { identity, withoutSelf } from "./_views.ts";
import type { TemperatureOptions } from "./info_nce.ts";

/**
 * y-Aware InfoNCE: each view must find the views of samples whose prior is like its own, the more so the more it is.
 *
 * `L = meanᵢ Σ_{j≠i} ŵᵢⱼ (log Σ_{a≠i} exp(uᵢ·uₐ/τ) − uᵢ·uⱼ/τ)`, where u are the unit-length views, i, j and a run over all
 * batch · views of them, and `ŵᵢⱼ` is the similarity of the samples of i and j, divided by the sum over j ≠ i. With 1 for
 * samples of one class and 0 else it is `supCon`, with the identity `infoNCE`. The authors' code divides by batch instead
 * of batch · views.
 *
 * @param z Embeddings of the views, f32 `[batch, views, features]`, batch ≥ 2, views ≥ 2; normalised here.
 * @param options `weights`: similarities of the samples, f32 `[batch, batch]`, ≥ 0 and > 0 on the diagonal, such as an RBF
 *   kernel's of a continuous attribute; no gradient flows through them. `temperature` (default 0.1, the authors').
 * @returns The loss, f32 `[]`; `log(batch · views − 1)` at collapse.
 * @throws {TypeError} If `z` is not of rank 3 or not f32, or `weights` is not f32 `[batch, batch]`.
 * @throws {RangeError} If there are fewer than two samples or views, or `temperature` is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, rbfGram, tensor } from "@decoupled/uniformity";
 * import { yAware } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const ages = tensor([[20], [30], [31], [70]]);
 * const weights = rbfGram(ages, ages, { gamma: 1 / (2 * 5 ** 2) });
 * assertAlmostEquals(await yAware(ones([4, 2, 8]), { weights }).item(), Math.log(7), 1e-5); // collapse
 * ```
 *
 * @see Dufumier et al., "Contrastive Learning with Continuous Proxy Meta-Data for 3D MRI Classification",
 * arXiv:2106.08808, equation 2.
 */
export function yAware(z: Tensor, options: TemperatureOptions & { readonly weights: Tensor }): Tensor<"f32"> {
  checkOptions("compute yAware()", options, ["weights", "temperature"]);
  const { weights, temperature = 0.1 } = options;
  checkViews("yAware", z, 2);
  checkPositive("yAware", "temperature", temperature);
  checkWeights("yAware", z, weights);
  const [batch, views, features] = z.shape as [number, number, number];
  const all = batch * views;
  const eye = identity(all, z.device);
  const u = l2Normalize(reshape(z, [all, features]));
  const s = mul(fullPrecision(() => matmul(u, u, { transposeB: true })), 1 / temperature);
  const found = sum(mul(s, sharesOf(detach(weights), views, eye)));
  return sub(mean(logSumExp(withoutSelf(s, eye), { dim: 1 })), mul(found, 1 / all));
}

/** Weights of the pairs of views, `[all, all]`: 0 for a view with itself, of sum 1 in a row. */
function sharesOf(weights: Tensor, views: number, eye: Tensor): Tensor {
  return noGrad(() =>
    tidy(() => {
      const [batch] = weights.shape as [number];
      const each = broadcastTo(reshape(weights, [batch, 1, batch, 1]), [batch, views, batch, views]);
      const others = mul(reshape(each, eye.shape), sub(1, eye));
      return div(others, sum(others, { dim: 1, keepDim: true }));
    })
  );
}
