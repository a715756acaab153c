import { detach } from "../autograd/mod.ts";
import { l2Normalize, mul, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkViews } from "./_check.ts";

/**
 * SimSiam's loss: what a predictor makes of one view points where another view of the sample is.
 *
 * `L = −mean cos(pᵥ, z_w)` over the samples and the ordered pairs of views v ≠ w; no gradient flows through the targets z
 * (stop-gradient), without which everything would collapse.
 *
 * @param p Predictions from each view, f32 `[batch, views, features]`, batch ≥ 2, views ≥ 2; normalised here.
 * @param z Targets of the same shape: the projections themselves, or those of a momentum encoder; normalised here.
 * @returns The loss, f32 `[]`, in [−1, 1]; −1 at collapse.
 * @throws {TypeError} If `p` is not of rank 3 or not f32, or `z` has another shape.
 * @throws {RangeError} If there are fewer than two samples or views.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { negativeCosine } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const p = tensor([[[2, 0], [0, 1]], [[2, 0], [0, 1]]]); // views at a right angle
 * assertAlmostEquals(await negativeCosine(p, p).item(), 0, 1e-6);
 * ```
 *
 * @see Chen and He, "Exploring Simple Siamese Representation Learning", arXiv:2011.10566, equations 1 to 4.
 */
export function negativeCosine(p: Tensor, z: Tensor): Tensor<"f32"> {
  return mul(meanCosine("negativeCosine", p, z), -1);
}

/**
 * BYOL's loss: the squared distance of the unit-length prediction from one view and the target from another,
 * `L = mean (2 − 2 cos(pᵥ, z_w))` over the samples, summed over the ordered pairs of views v ≠ w. No gradient flows
 * through the targets.
 *
 * @param p Predictions from each view, f32 `[batch, views, features]`, batch ≥ 2, views ≥ 2; normalised here.
 * @param z Targets of the same shape, from a momentum encoder; normalised here.
 * @returns The loss, f32 `[]`, in [0, 8] for two views; 0 at collapse.
 * @throws {TypeError} If `p` is not of rank 3 or not f32, or `z` has another shape.
 * @throws {RangeError} If there are fewer than two samples or views.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { byol } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const p = tensor([[[2, 0], [0, 1]], [[2, 0], [0, 1]]]); // views at a right angle
 * assertAlmostEquals(await byol(p, p).item(), 4, 1e-6);
 * ```
 *
 * @see Grill et al., "Bootstrap Your Own Latent", arXiv:2006.07733, equation 2, both orders of the views added.
 */
export function byol(p: Tensor, z: Tensor): Tensor<"f32"> {
  const cosine = meanCosine("byol", p, z);
  const views = p.shape[1]!;
  return mul(sub(1, cosine), 2 * views * (views - 1));
}

/** Mean over samples and ordered pairs of views of the cosine of a prediction and a target. */
function meanCosine(loss: string, p: Tensor, z: Tensor): Tensor {
  checkViews(loss, p, 2);
  if (`${z.shape}` !== `${p.shape}`) {
    throw new TypeError(
      `Cannot compute ${loss}() as z must have the shape of p: got p [${p.shape}] and z [${z.shape}]`,
    );
  }
  const [batch, views] = p.shape as [number, number];
  const [from, to] = [l2Normalize(p), l2Normalize(detach(z))];
  const others = sub(sum(to, { dim: 1, keepDim: true }), to); // for each view the sum of the other targets
  return mul(sum(mul(from, others)), 1 / (batch * views * (views - 1)));
}
