import { fullPrecision, noGrad } from "../autograd/mod.ts";
import { add, div, equal, l2Normalize, logSumExp, matmul, mean, mul, reshape, sub, sum } from "../ops/mod.ts";
import { Tensor, tidy } from "../tensor/mod.ts";
import { checkPositive, checkTwoViews } from "./_check.ts";
import { checkLabels, uploadLabels } from "./_labels.ts";
import { twoViews } from "./_views.ts";
import type { TemperatureOptions } from "./info_nce.ts";
import { checkOptions } from "../tensor/internal.ts";

/**
 * Cl-InfoNCE: a view must find the other views of its cluster, and clusters come from auxiliary information.
 *
 * `L = meanᵢ (log(1/n Σⱼ exp(xᵢ·yⱼ/τ)) − mean_{j∈Z(i)} xᵢ·yⱼ/τ)`, averaged over both orders of the views, with the
 * unit-length first and second views x and y and the samples Z(i) of i's cluster, i itself among them. `−L` is a lower bound
 * of the mutual information of two samples of a cluster.
 *
 * @param z Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; normalised here.
 * @param options `labels`: a cluster for each sample, u32 `[batch]`, or numbers, which are uploaded; `temperature`
 *   (default 0.1).
 * @returns The loss, f32 `[]`; 0 at collapse.
 * @throws {TypeError} If `z` is not of rank 3 or not f32, or there are not batch labels of u32.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, `temperature` is not positive and finite, or a
 *   label given as a number is not an integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { clInfoNCE } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const loss = clInfoNCE(ones([4, 2, 8]), { labels: [0, 1, 0, 1] });
 * assertAlmostEquals(await loss.item(), 0, 1e-5); // collapse
 * ```
 *
 * @see Tsai et al., "Learning Weakly-Supervised Contrastive Representations", arXiv:2202.06670, equation 4.
 */
export function clInfoNCE(
  z: Tensor,
  options: TemperatureOptions & { readonly labels: Tensor | ArrayLike<number> },
): Tensor<"f32"> {
  checkOptions("compute clInfoNCE()", options, ["temperature", "labels"]);
  const { labels, temperature = 0.1 } = options;
  checkTwoViews("clInfoNCE", z);
  checkPositive("clInfoNCE", "temperature", temperature);
  if (labels instanceof Tensor) {
    return compareClusters(z, sameCluster(checkLabels("clInfoNCE", z, labels)), temperature);
  }
  using uploaded = uploadLabels("clInfoNCE", z, labels);
  return compareClusters(z, sameCluster(uploaded), temperature);
}

function sameCluster(labels: Tensor): Tensor {
  const { size } = labels;
  return noGrad(() => equal(reshape(labels, [size, 1]), reshape(labels, [1, size])));
}

/** {@linkcode clInfoNCE} of pairs of samples that are of one cluster (1) or not (0), `[batch, batch]`. */
export function compareClusters(z: Tensor, same: Tensor, temperature: number): Tensor<"f32"> {
  const [batch] = z.shape as [number];
  const shares = noGrad(() => tidy(() => div(same, sum(same, { dim: 1, keepDim: true }))));
  const [x, y] = twoViews(l2Normalize(z));
  const s = mul(fullPrecision(() => matmul(x, y, { transposeB: true })), 1 / temperature);
  // Shares are symmetric: one sum serves both orders of the views.
  const among = mul(add(mean(logSumExp(s, { dim: 1 })), mean(logSumExp(s, { dim: 0 }))), 0.5);
  return sub(sub(among, Math.log(batch)), mul(sum(mul(s, shares)), 1 / batch));
}
