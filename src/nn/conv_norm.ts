import { type Tensor, tidy } from "../tensor/mod.ts";
import type { BatchNorm2d, BatchNormFusion } from "./batch_norm2d.ts";
import type { Conv2d } from "./conv2d.ts";

/** A convolution and its normalisation: in training the first leaves the moments that the second needs. */
export function convNorm(conv: Conv2d, norm: BatchNorm2d, x: Tensor, fusion: BatchNormFusion = {}): Tensor {
  return tidy(() => {
    if (!norm.training) return norm.forward(conv.forward(x), fusion);
    const { y, moments } = conv.forwardWithMoments(x);
    return norm.forward(y, { ...fusion, moments });
  });
}
