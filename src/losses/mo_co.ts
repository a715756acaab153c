import { detach, fullPrecision } from "../autograd/mod.ts";
import { concat, flip, l2Normalize, logSumExp, matmul, mean, mul, reshape, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkPositive, checkTwoViews } from "./_check.ts";
import type { TemperatureOptions } from "./info_nce.ts";

/**
 * Momentum contrast: a view must find the other view of its sample, as a momentum encoder sees it, among those of earlier
 * batches, which a queue keeps.
 *
 * `L = mean (log(exp(q·k/τ) + Σ_m exp(q·mₘ/τ)) − q·k/τ)` over the samples and both orders of the views, with unit-length
 * queries q, keys k of the other view and members m of the queue. MoCo's authors take one order; both take one more
 * pass of each encoder and no other negatives. No gradient flows through keys and queue.
 *
 * @param queries Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; normalised here.
 * @param keys Those of the momentum encoder, of the same shape; normalised here.
 * @param options `queue`: unit-length keys of earlier batches, f32 `[members, features]`; `temperature` (default 0.2,
 *   MoCo v2's).
 * @returns The loss, f32 `[]`; `log(members + 1)` at collapse.
 * @throws {TypeError} If `queries` is not of rank 3 or not f32, or `keys` or `queue` do not fit.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, or `temperature` is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, tensor } from "@decoupled/uniformity";
 * import { moCo } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const z = ones([2, 2, 1]);
 * assertAlmostEquals(await moCo(z, z, { queue: tensor([[1], [1], [1]]) }).item(), Math.log(4), 1e-5); // collapse
 * ```
 *
 * @see He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", arXiv:1911.05722, equation 1.
 */
export function moCo(
  queries: Tensor,
  keys: Tensor,
  options: TemperatureOptions & { readonly queue: Tensor },
): Tensor<"f32"> {
  checkOptions("compute moCo()", options, ["queue", "temperature"]);
  const { queue, temperature = 0.2 } = options;
  checkTwoViews("moCo", queries);
  checkPositive("moCo", "temperature", temperature);
  const [batch, views, features] = queries.shape as [number, number, number];
  if (`${keys.shape}` !== `${queries.shape}`) {
    throw new TypeError(
      `Cannot compute moCo() as keys must have the shape of queries: got queries [${queries.shape}] and keys [${keys.shape}]`,
    );
  }
  if (queue.rank !== 2 || queue.shape[1] !== features || queue.dtype !== "f32") {
    throw new TypeError(
      `Cannot compute moCo() as queue must be f32 [members, ${features}]: got queue ${queue.dtype} [${queue.shape}]`,
    );
  }
  const rows = [batch * views, features];
  const q = reshape(l2Normalize(queries), rows);
  const k = reshape(flip(l2Normalize(detach(keys)), 1), rows);
  const own = mul(sum(mul(q, k), { dim: 1, keepDim: true }), 1 / temperature);
  const others = mul(fullPrecision(() => matmul(q, detach(queue), { transposeB: true })), 1 / temperature);
  return mean(sub(logSumExp(concat([own, others], 1), { dim: 1, keepDim: true }), own));
}
