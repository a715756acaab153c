import { defineOp, type OpContext } from "../../autograd/mod.ts";
import { type FloatDType, sizeOf, type Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions, own } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { type Geometry, geometryOf, type InputGradOperands, type Windows2d } from "./geometry.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "./_conv2d_forms.ts";
import { GradientSums } from "../product/gradient_sums.ts";
import { SideMoments } from "../product/moments.ts";
import { layerInputs, precisionOf } from "../product/precision.ts";
import { sumOfRows } from "../product/linear.ts";

/** Settings of {@linkcode conv2d}. */
export interface Conv2dOptions extends Windows2d {
  /** Bias of every pixel, `[out]`, f32; none by default. */
  bias?: Tensor;
}

interface Attrs {
  readonly g: Geometry;
  readonly side?: SideMoments;
}

const conv2dOp = defineOp<readonly Tensor[], Attrs>({
  name: "conv2d",
  half: true,
  forward(context, inputs, { g, side }) {
    const dtype = precisionOf(inputs);
    const [x, weight, bias] = layerInputs(inputs, dtype);
    context.save(x, weight);
    const shape = [g.n, ...g.outSize, g.groups * g.outChannels];
    if (sizeOf(shape) === 0) return zeros(shape, { device: x.device, dtype });
    return forwardProduct(g, { x, weight, bias, side, dtype });
  },
  backward(context, grad, { g }) {
    const { needsGrad, saved, shapes, dtypes } = context;
    const [x, weight] = saved as [Tensor, Tensor];
    const { device } = x;
    const [xType, weightType] = dtypes as [FloatDType, FloatDType];
    if (grad.size === 0) return shapes.map((shape, i) => needsGrad[i] ? zeros(shape, { device }) : null);
    // In this order the gradient of x may take the memory of x.
    const gradWeight = needsGrad[1] ? weightGradProduct(g, { x, gradY: grad, dtype: weightType }) : null;
    context.release(x);
    const gradX = needsGrad[0]
      ? inputGradProduct(g, { gradY: grad, weight, dtype: xType, ...addingTo(context, xType) })
      : null;
    const gradBias = needsGrad[2] ? sumOfRows(grad, g.groups * g.outChannels) : null;
    return [gradX, gradWeight, gradBias].slice(0, shapes.length);
  },
});

/** The gradient of x so far, for a form to add to, and what the normalisation that made x wants of the sum. */
function addingTo(context: OpContext, dtype: FloatDType): Pick<InputGradOperands, "into" | "sums"> {
  const soFar = context.soFar(0);
  if (soFar?.grad.dtype !== dtype) return {};
  const { grad: into, receiver } = soFar;
  return receiver instanceof GradientSums && receiver.x.dtype === dtype ? { into, sums: receiver } : { into };
}

/**
 * Computes a 2-D convolution, that is cross-correlation as in PyTorch's `conv2d`, of images with channels last:
 * `y[n, oy, ox, j] = Σ x[n, oy·stride + ky·dilation − padding, …, i] · w[ky, kx, i, j] (+ bias[j])`.
 *
 * Sums are kept in f32; inside `autocast`, or where x or weight is f16, x is read as f16 and y is f16. Large 3 × 3
 * windows of stride 1 go through Winograd's F(4×4, 3×3) or F(3×3, 3×3), whose rounding error is about three times that of
 * the plain sum.
 *
 * @param x Images, shape `[n, h, w, in]`, f32 or f16.
 * @param weight Shape `[kh, kw, in / groups, out]`, f32 or f16.
 * @param options `stride`, `padding`, `dilation` in px for both axes or `[height, width]`; `groups`; `bias` `[out]`.
 * @returns Shape `[n, oh, ow, out]` with `oh = ⌊(h + 2·padding − dilation·(kh − 1) − 1) / stride⌋ + 1`.
 * @throws {TypeError} If a tensor is not f32 or f16, or the shapes do not match.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { conv2d, Device, ones } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = conv2d(ones([1, 4, 4, 1]), ones([3, 3, 1, 2]), { padding: 1, stride: 3 });
 * assertEquals(y.shape, [1, 2, 2, 2]);
 * assertEquals(await y.data(), new Float32Array([4, 4, 4, 4, 4, 4, 4, 4]));
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor<"f32"> {
  checkOptions("compute conv2d()", options, ["bias", "stride", "padding", "dilation", "groups"]);
  return convolve(x, weight, options);
}

/**
 * Computes {@linkcode conv2d} and the moments of its pixels per channel, `[slices, 3, out]`, for the batch
 * normalisation that follows; null where the form that suits the shape does not leave them. No gradient flows through
 * the moments.
 */
export function conv2dWithMoments(
  x: Tensor,
  weight: Tensor,
  options: Conv2dOptions = {},
): { y: Tensor; moments: Tensor | null } {
  const side = new SideMoments();
  const y = convolve(x, weight, options, side);
  if (side.moments) own(side.moments);
  return { y, moments: side.moments };
}

function convolve(x: Tensor, weight: Tensor, options: Conv2dOptions, side?: SideMoments): Tensor<"f32"> {
  const { bias, ...windows } = options;
  checkFloat("conv2d", x, weight, ...(bias ? [bias] : []));
  const geometry = geometryOf(x.shape, weight.shape, windows);
  if (bias && (bias.rank !== 1 || bias.shape[0] !== weight.shape[3])) {
    throw new TypeError(
      `Cannot compute conv2d() as bias must be [out]: got bias [${bias.shape}] and weight [${weight.shape}]`,
    );
  }
  return conv2dOp(bias ? [x, weight, bias] : [x, weight], { g: geometry, side });
}
