// Convolution with a 1 × 1 window and stride 1: plain matrix products over the pixels.
import { sizeOf, type Tensor } from "../tensor/mod.ts";
import type { ForwardOptions, Geometry } from "./_conv2d.ts";
import { product } from "./_product.ts";

function sizes(g: Geometry): { pixels: number; inChannels: number; outChannels: number } {
  return { pixels: g.n * sizeOf(g.size), inChannels: g.inChannels, outChannels: g.outChannels };
}

/** `y [n, h, w, out]` of `x [n, h, w, in]`. */
export function forwardProduct(g: Geometry, x: Tensor, weight: Tensor, { bias, side }: ForwardOptions): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const y = product({ a: x, b: weight, rows: pixels, cols: outChannels, inner: inChannels, bias, side });
  return y.alias([g.n, ...g.size, outChannels]);
}

/** Gradient of `x` from that of `y`. */
export function inputGradProduct(g: Geometry, gradY: Tensor, weight: Tensor): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const x = product({ a: gradY, b: weight, rows: pixels, cols: inChannels, inner: outChannels, transposeB: true });
  return x.alias([g.n, ...g.size, inChannels]);
}

/** Gradient of the weight from that of `y`. */
export function weightGradProduct(g: Geometry, x: Tensor, gradY: Tensor): Tensor {
  const { pixels, inChannels, outChannels } = sizes(g);
  const w = product({ a: x, b: gradY, rows: inChannels, cols: outChannels, inner: pixels, transposeA: true });
  return w.alias([1, 1, inChannels, outChannels]);
}
