import { defineOp } from "../../autograd/mod.ts";
import { type FloatDType, type Shape, sizeOf, type Tensor, zeros } from "../../tensor/mod.ts";
import { add } from "../elementwise/binary.ts";
import { sumOfRows } from "../product/linear.ts";
import { layerInputs, precisionOf } from "../product/precision.ts";
import { checkFloat } from "../shared/check.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "./_conv2d_forms.ts";
import type { Geometry, Windows2d } from "./geometry.ts";
import { pair, type Size2d } from "./pool_geometry.ts";
import { checkOptions } from "../../tensor/internal.ts";

const NAME = "convTranspose2d";

/** Settings of {@linkcode convTranspose2d}. */
export interface ConvTranspose2dOptions extends Windows2d {
  /** Rows and columns added below and on the right, px, less than the stride or the dilation; 0 by default. */
  outputPadding?: Size2d;
  /** Bias of every pixel, `[out]`, f32; none by default. */
  bias?: Tensor;
}

// The geometry is that of the convolution from y to x, whose input gradient this is.
const convTranspose2dOp = defineOp<readonly Tensor[], Geometry>({
  name: NAME,
  half: true,
  forward(context, inputs, g) {
    const dtype = precisionOf(inputs);
    const [x, weight, bias] = layerInputs(inputs, dtype);
    context.save(x, weight);
    const shape = [g.n, ...g.size, g.groups * g.inChannels];
    if (sizeOf(shape) === 0) return zeros(shape, { device: x.device, dtype });
    const y = inputGradProduct(g, { gradY: x, weight, dtype });
    return bias ? add(y, bias) : y;
  },
  backward({ needsGrad, saved, shapes, dtypes }, grad, g) {
    const [x, weight] = saved as [Tensor, Tensor];
    const [xType, weightType] = dtypes as [FloatDType, FloatDType];
    if (grad.size === 0) return shapes.map((shape, i) => needsGrad[i] ? zeros(shape, { device: grad.device }) : null);
    return [
      needsGrad[0] ? forwardProduct(g, { x: grad, weight, dtype: xType }) : null,
      needsGrad[1] ? weightGradProduct(g, { x: grad, gradY: x, dtype: weightType }) : null,
      needsGrad[2] ? sumOfRows(grad, g.groups * g.inChannels) : null,
    ].slice(0, shapes.length);
  },
});

/**
 * Computes a transposed 2-D convolution, as PyTorch's `conv_transpose2d`, of images with channels last: every pixel of x
 * adds its multiple of the window to y, `y[n, iy·stride + ky·dilation − padding, …, j] += x[n, iy, ix, i] · w[ky, kx, j, i]`.
 * It is the gradient of {@linkcode conv2d}'s input, for the same weight. In half precision as {@linkcode conv2d}.
 *
 * @param x Images, shape `[n, h, w, in]`, f32 or f16.
 * @param weight Shape `[kh, kw, out / groups, in]`, f32 or f16: that of a convolution from `out` to `in` channels.
 * @param options `stride`, `padding`, `outputPadding`, `dilation` in px for both axes or `[height, width]`; `groups`;
 *   `bias` `[out]`.
 * @returns Shape `[n, oh, ow, out]` with `oh = (h − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1`.
 * @throws {TypeError} If a tensor is not f32 or f16, the shapes do not match, or nothing of y is left.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { convTranspose2d } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = convTranspose2d(ones([1, 4, 4, 8]), ones([2, 2, 3, 8]), { stride: 2 });
 * assertEquals(y.shape, [1, 8, 8, 3]);
 * ```
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions = {}): Tensor<"f32"> {
  checkOptions("compute convTranspose2d()", options, [
    "stride",
    "padding",
    "dilation",
    "groups",
    "outputPadding",
    "bias",
  ]);
  const { bias } = options;
  checkFloat(NAME, x, weight, ...(bias ? [bias] : []));
  const g = geometryOf(x.shape, weight.shape, options);
  const out = g.groups * g.inChannels;
  if (bias && (bias.rank !== 1 || bias.shape[0] !== out)) {
    throw new TypeError(`Cannot compute ${NAME}() as bias must be [${out}]: got bias [${bias.shape}]`);
  }
  return convTranspose2dOp(bias ? [x, weight, bias] : [x, weight], g);
}

function geometryOf(x: Shape, weight: Shape, options: ConvTranspose2dOptions): Geometry {
  const { groups = 1 } = options;
  checkChannels(x, weight, groups);
  const [n, h, w, channels] = x as [number, number, number, number];
  const [kh, kw, inChannels] = weight as [number, number, number, number];
  const stride = pair(NAME, "stride", options.stride ?? 1, 1);
  const padding = pair(NAME, "padding", options.padding ?? 0, 0);
  const dilation = pair(NAME, "dilation", options.dilation ?? 1, 1);
  const extra = pair(NAME, "outputPadding", options.outputPadding ?? 0, 0);
  if (extra.some((size, i) => size >= Math.max(stride[i]!, dilation[i]!))) {
    throw new RangeError(
      `Cannot compute ${NAME}() as outputPadding must be less than the stride or the dilation: got [${extra}] for stride ` +
        `[${stride}] and dilation [${dilation}]`,
    );
  }
  const sizeAt = (i: 0 | 1, from: number, kernel: number) =>
    (from - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel - 1) + extra[i] + 1;
  const size = [sizeAt(0, h, kh), sizeAt(1, w, kw)] as const;
  if (size[0] < 1 || size[1] < 1) {
    throw new TypeError(`Cannot compute ${NAME}() as something of y must be left: got x [${x}] for y of [${size}] px`);
  }
  const [outSize, kernel, outChannels] = [[h, w], [kh, kw], channels / groups] as const;
  return { n, size, outSize, kernel, stride, padding, dilation, groups, inChannels, outChannels };
}

function checkChannels(x: Shape, weight: Shape, groups: number): void {
  const got = `got x [${x}] and weight [${weight}]`;
  if (x.length !== 4 || weight.length !== 4 || x[3] !== weight[3] || x.slice(1).includes(0) || weight.includes(0)) {
    throw new TypeError(
      `Cannot compute ${NAME}() as x must be [n, h, w, in] and weight [kh, kw, out / groups, in], not empty: ${got}`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1 || x[3]! % groups !== 0) {
    throw new RangeError(
      `Cannot compute ${NAME}() as groups must be an integer >= 1 that divides the input channels: got ${groups} for ` +
        `x [${x}]`,
    );
  }
}
