// Convolution with a 1 × 1 window and stride 1: plain matrix products over the pixels.
import { sizeOf, type Tensor } from "../../tensor/mod.ts";
import {
  type Conv2dForm,
  type ForwardOperands,
  type Geometry,
  type InputGradOperands,
  plainCost,
  type WeightGradOperands,
} from "./geometry.ts";
import { packed } from "../product/layout.ts";
import { sumsOf } from "../product/precision.ts";
import { product as matrixProduct } from "../product/product.ts";

const A_TRANSPOSED = packed({ transposeA: true });

const B_TRANSPOSED = packed({ transposeB: true });

function sizes(g: Geometry): { pixels: number; inChannels: number; outChannels: number } {
  return { pixels: g.n * sizeOf(g.size), inChannels: g.inChannels, outChannels: g.outChannels };
}

/** Computes `y [n, h, w, out]` of `x [n, h, w, in]`. */
function forward(g: Geometry, { x, weight, bias, side, dtype, norm }: ForwardOperands): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const sizesY = { rows: pixels, cols: outChannels, inner: inChannels };
  const y = matrixProduct({
    a: x,
    b: weight,
    sizes: sizesY,
    epilogue: { bias, side, dtype },
    sums: sumsOf(x, weight),
    norm,
  });
  return y.alias([g.n, ...g.size, outChannels]);
}

/** Gradient of `x` from that of `y`. */
function inputGrad(g: Geometry, { gradY, weight, dtype, into, sums }: InputGradOperands): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const sizesX = { rows: pixels, cols: inChannels, inner: outChannels };
  const epilogue = { dtype, into, gradient: sums };
  const how = { layout: B_TRANSPOSED, epilogue, sums: sumsOf(gradY, weight) };
  const x = matrixProduct({ a: gradY, b: weight, sizes: sizesX, ...how });
  return x.alias([g.n, ...g.size, inChannels]);
}

/** Gradient of the weight from that of `y`. */
function weightGrad(g: Geometry, { x, gradY, dtype, norm }: WeightGradOperands): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const sizesW = { rows: inChannels, cols: outChannels, inner: pixels };
  const how = { layout: A_TRANSPOSED, epilogue: { dtype }, sums: sumsOf(x, gradY), norm };
  const w = matrixProduct({ a: x, b: gradY, sizes: sizesW, ...how });
  return w.alias([1, 1, inChannels, outChannels]);
}

/** One matrix product, for windows of 1 × 1 without stride, padding or groups. */
export const product: Conv2dForm = {
  serves: (g) => [g.kernel, g.stride].every((pair) => sizeOf(pair) === 1) && sizeOf(g.padding) === 0 && g.groups === 1,
  cost: plainCost,
  forward,
  inputGrad,
  weightGrad,
};
