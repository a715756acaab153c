import { defineOp } from "../../autograd/mod.ts";
import type { BindingsOf } from "../../device/mod.ts";
import { lib_rows, lib_slices } from "../../shaders/lib.ts";
import { layer_norm as code, layer_norm_sums as sums } from "../../shaders/norm.ts";
import { type FloatDType, ones, Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions, checkSetting, floatOf } from "../../tensor/internal.ts";
import { sumOfRows } from "../product/linear.ts";
import { checkFloat } from "../shared/check.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";
import { blocksOf, columnPrograms, columnsOf, pick, rowsOf, sliceGroups, slicesOf } from "../shared/slices.ts";
import { policyOf } from "../shared/policy.ts";
import { LAYER_NORM } from "../shared/tables.ts";

/** Settings of {@linkcode layerNorm}. */
export interface LayerNormOptions {
  /** Factor of each feature, `[d]`, f32; ones by default. */
  weight?: Tensor;
  /** Shift of each feature, `[d]`, f32; zeros by default. */
  bias?: Tensor;
  /** Term added to the variance; 1e-5 by default. */
  eps?: number;
}

const FORWARD = columnPrograms("layerNorm", [lib_rows, code], "forward");
const BACKWARD = columnPrograms("layerNorm", [lib_rows, code], "backward");
const SUMS = columnPrograms("layerNorm sums", [lib_slices, sums], "sum_blocks");

const layerNormOp = defineOp<readonly [Tensor, Tensor, Tensor], { readonly eps: number }>({
  name: "layerNorm",
  half: true,
  forward(context, [x, weight, bias], { eps }) {
    const y = new Tensor(x.device, x.shape, { dtype: floatOf(x) });
    const stats = new Tensor(x.device, [rowsOf(x), 2]);
    run(FORWARD, x, { 2: y.storage, 3: weight.storage, 4: bias.storage, 5: stats.storage }, eps);
    context.save(x, weight, stats);
    return y;
  },
  backward({ needsGrad, saved, dtypes }, grad, { eps }) {
    const [x, weight, stats] = saved as [Tensor, Tensor, Tensor];
    const [gradWeight, gradBias] = needsGrad[1] || needsGrad[2] ? affineGrads(x, stats, grad) : [null, null];
    if (!needsGrad[0]) return [null, gradWeight, gradBias];
    const gradX = new Tensor(x.device, x.shape, { dtype: dtypes[0] as FloatDType });
    run(BACKWARD, x, { 2: gradX.storage, 3: weight.storage, 5: stats.storage, 6: grad.storage }, eps);
    return [gradX, gradWeight, gradBias];
  },
});

/** Bindings of the passes over rows beside x; they write 2. */
type Arrays = BindingsOf<Omit<typeof code.access, 1>>;

function run(programs: typeof FORWARD, x: Tensor, arrays: Arrays, eps: number): void {
  const { device } = x;
  const features = x.shape.at(-1)!;
  const [rows, columns] = [rowsOf(x), columnsOf(features)];
  if (rows === 0) return;
  const constants = rowConstants(device, columns);
  device.dispatch(laneForm(device, pick(programs, features, floatOf(x)), constants.LANES), {
    params: { rows, columns, features, eps },
    buffers: { 1: x.storage, ...arrays },
    workgroups: device.groups(rows, constants.ROWS),
    constants,
  });
}

/** The gradients of weight and bias, `[d]` each. */
function affineGrads(x: Tensor, stats: Tensor, grad: Tensor): [Tensor, Tensor] {
  const { device } = x;
  const features = x.shape.at(-1)!;
  if (x.size === 0) return [zeros([features], { device }), zeros([features], { device })];
  const slices = slicesOf(x, policyOf(device).of(LAYER_NORM));
  const blocks = blocksOf(slices);
  const sums = [new Tensor(device, [blocks, features]), new Tensor(device, [blocks, features])] as const;
  device.dispatch(pick(SUMS, features, floatOf(x)), {
    params: { ...slices },
    buffers: { 1: x.storage, 2: stats.storage, 3: grad.storage, 4: sums[0].storage, 5: sums[1].storage },
    workgroups: sliceGroups(device, slices),
  });
  return [sumOfRows(sums[0], features), sumOfRows(sums[1], features)];
}

/**
 * Layer normalisation over the last axis: `(x − mean) / √(var + eps) · weight + bias`, with the biased variance of each
 * vector, as PyTorch's `layer_norm` over one axis.
 *
 * Moments and sums are kept in f32; f16 in gives f16.
 *
 * @param x Vectors `[…, d]`, f32 or f16, d ≥ 1.
 * @param options `weight` and `bias` `[d]` (ones and zeros by default), `eps`.
 * @returns The shape and dtype of x.
 * @throws {TypeError} If x is a scalar or not f32 or f16, or weight or bias is not f32 `[d]`.
 * @throws {RangeError} If `eps` is not > 0.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { layerNorm } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await layerNorm(tensor([[1, 3], [-2, 2]]), { eps: 1e-12 }).data(), [-1, 1, -1, 1]);
 * ```
 *
 * @see Ba et al., "Layer Normalization", arXiv:1607.06450.
 */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor<"f32"> {
  checkOptions("compute layerNorm()", options, ["weight", "bias", "eps"]);
  const { eps = 1e-5, weight, bias } = options;
  const features = x.shape.at(-1) ?? 0;
  if (features === 0) {
    throw new TypeError(`Cannot compute layerNorm() as x must be [..., features]: got x [${x.shape}]`);
  }
  checkFloat("layerNorm", x);
  for (const [name, given] of Object.entries({ weight, bias })) {
    if (!given || given.dtype === "f32" && given.rank === 1 && given.size === features) continue;
    throw new TypeError(
      `Cannot compute layerNorm() as ${name} must be f32 [${features}]: got ${given.dtype} [${given.shape}]`,
    );
  }
  checkSetting("compute layerNorm()", "eps", eps);
  const { device } = x;
  return layerNormOp([x, weight ?? ones([features], { device }), bias ?? zeros([features], { device })], { eps });
}
