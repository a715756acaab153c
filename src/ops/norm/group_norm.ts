import type { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { add, mul } from "../elementwise/binary.ts";
import { permute } from "../move/permute.ts";
import { reshape } from "../move/reshape.ts";
import { checkFloat } from "../shared/check.ts";
import { layerNorm } from "./layer_norm.ts";

/** Settings of {@linkcode groupNorm}. */
export interface GroupNormOptions {
  /** Groups of neighbouring channels, each with moments of its own. */
  groups: number;
  /** Factor of each channel, `[c]`, f32; ones by default. */
  weight?: Tensor;
  /** Shift of each channel, `[c]`, f32; zeros by default. */
  bias?: Tensor;
  /** Term added to the variance; 1e-5 by default. */
  eps?: number;
}

/**
 * Group normalisation: as PyTorch's `group_norm`, by the moments of each sample's groups of channels, with channels last.
 *
 * @param x `[n, …, c]`, f32 (f16 is read as f32), nothing of it empty.
 * @param options `groups`, a divisor of c; `weight` and `bias` `[c]`; `eps`.
 * @returns The shape of x.
 * @throws {TypeError} If x is not f32, of rank below 2 or empty, or weight or bias is not `[c]`.
 * @throws {RangeError} If `groups` does not divide c, or `eps` is not > 0.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { groupNorm } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 3, -2, 2]]);
 * assertClose(await groupNorm(x, { groups: 2, eps: 1e-12 }).data(), [-1, 1, -1, 1]);
 * ```
 *
 * @see Wu and He, "Group Normalization", arXiv:1803.08494.
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor<"f32"> {
  checkOptions("compute groupNorm()", options, ["groups", "weight", "bias", "eps"]);
  const { groups, weight, bias, eps = 1e-5 } = options;
  checkFloat("groupNorm", x);
  checkSetting("compute groupNorm()", "eps", eps);
  const c = x.shape.at(-1) ?? 0;
  if (x.rank < 2 || x.size === 0) {
    throw new TypeError(`Cannot compute groupNorm() as x must be [n, ..., c] and not empty: got x [${x.shape}]`);
  }
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0) {
    throw new RangeError(`Cannot compute groupNorm() as groups must divide the channels: got ${groups} for ${c}`);
  }
  for (const [name, given] of Object.entries({ weight, bias })) {
    if (!given || given.rank === 1 && given.size === c) continue;
    throw new TypeError(`Cannot compute groupNorm() as ${name} must be [${c}]: got [${given.shape}]`);
  }
  const n = x.shape[0]!;
  const [pixels, width] = [x.size / n / c, c / groups];
  const grouped = permute(reshape(x, [n, pixels, groups, width]), [0, 2, 1, 3]);
  const normal = layerNorm(reshape(grouped, [n, groups, pixels * width]), { eps });
  const back = permute(reshape(normal, [n, groups, pixels, width]), [0, 2, 1, 3]);
  const scaled = weight ? mul(reshape(back, x.shape), weight) : reshape(back, x.shape);
  return bias ? add(scaled, bias) : scaled;
}
