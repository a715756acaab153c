// A convolution that normalises its images as it reads them: what lies between two convolutions of a network is never
// stored, neither forward nor backward.
import { defineOp } from "../../autograd/mod.ts";
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { own } from "../../tensor/internal.ts";
import { gradients, mergeSums, reduceGrads } from "../norm/batch_norm_grad.ts";
import { isRead, normToRead, type TrainingNorm } from "../norm/batch_norm_passes.ts";
import { GradientSums } from "../product/gradient_sums.ts";
import { SideMoments } from "../product/moments.ts";
import { precisionOf } from "../product/precision.ts";
import { rowsOf } from "../shared/slices.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "./_conv2d_forms.ts";
import { type Geometry, geometryOf, type Windows2d } from "./geometry.ts";

interface Attrs {
  readonly g: Geometry;
  readonly norm: TrainingNorm;
  readonly side: SideMoments;
}

/** Inputs: x, scale and shift of the normalisation, weight of the convolution. */
type Inputs = readonly [Tensor, Tensor, Tensor, Tensor];

const normConv2dOp = defineOp<Inputs, Attrs>({
  name: "normConv2d",
  half: true,
  forward(context, [x, scale, shift, weight], { g, norm, side }) {
    const { moments, reading } = normToRead(x, { ...norm, weight: scale, bias: shift });
    context.save(x, scale, shift, weight, moments, reading);
    return forwardProduct(g, { x, weight, norm: reading, side, dtype: precisionOf([x, weight]) });
  },
  backward(context, gradY, { g, norm: { eps } }) {
    const { needsGrad, dtypes, saved } = context;
    const [x, scale, shift, weight, moments, reading] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const [xType, , , weightType] = dtypes as FloatDType[];
    const gradWeight = needsGrad[3] ? weightGradProduct(g, { x, gradY, norm: reading, dtype: weightType! }) : null;
    if (!needsGrad.slice(0, 3).includes(true)) return [null, null, null, gradWeight];
    using found = new GradientSums(x, moments, { reading });
    const grad = inputGradProduct(g, { gradY, weight, dtype: xType!, sums: x.dtype === xType ? found : undefined });
    const operands = { x, norm: { moments, eps }, affine: { weight: scale, bias: shift }, grad };
    const relu = !found.sums; // else the product has masked the gradient
    const sums = found.sums ?? reduceGrads(operands, { relu, inPlace: true }).sums;
    const grads = needsGrad[0]
      ? gradients(operands, { sums, relu, training: true, inPlace: context.mayOverwrite(x) })
      : { ...mergeSums(sums, operands.norm), gradX: null };
    return [grads.gradX, needsGrad[1] ? grads.gradWeight : null, needsGrad[2] ? grads.gradBias : null, gradWeight];
  },
});

/**
 * Whether {@linkcode normConv2d} serves: convolutions normalise what they read on this adapter, the channels are whole
 * vectors of one group, more than one so that no form takes taps together, x has statistics, and it is in the precision
 * of the product.
 */
export function readsNormalized(x: Tensor, weight: Tensor, windows: Windows2d): boolean {
  const [, , inChannels, outChannels] = weight.shape as [number, number, number, number];
  const whole = (windows.groups ?? 1) === 1 && inChannels % 4 === 0 && outChannels % 4 === 0 && inChannels > 4;
  return whole && rowsOf(x) > 1 && x.dtype === precisionOf([x, weight]) && isRead(x.device);
}

/**
 * Computes `conv2d(relu(batchNorm(x)), weight)` in training, and the moments of its pixels as `conv2dWithMoments()` does,
 * where {@linkcode readsNormalized}.
 */
export function normConv2d(
  x: Tensor,
  norm: TrainingNorm,
  weight: Tensor,
  windows: Windows2d,
): { y: Tensor; moments: Tensor | null } {
  const side = new SideMoments();
  const attrs = { g: geometryOf(x.shape, weight.shape, windows), norm, side };
  const y = normConv2dOp([x, norm.weight, norm.bias, weight], attrs);
  if (side.moments) own(side.moments);
  return { y, moments: side.moments };
}
