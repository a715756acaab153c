import { type Tensor, tidy } from "../tensor/mod.ts";
import type { BatchNorm2d, BatchNormFusion } from "./batch_norm2d.ts";
import type { Conv2d } from "./conv2d.ts";

/** A convolution and its normalisation: in training the first leaves the moments that the second needs. */
export function convNorm(conv: Conv2d, norm: BatchNorm2d, x: Tensor, fusion: BatchNormFusion = {}): Tensor<"f32"> {
  return tidy(() => {
    if (!norm.training) return norm.forward(conv.forward(x), fusion);
    const { y, moments } = conv.forwardWithMoments(x);
    return norm.forward(y, { ...fusion, moments });
  });
}

/** Computes {@linkcode convNorm} of a batch in parts, which are normalised together. */
export function convNormParts(
  conv: Conv2d,
  norm: BatchNorm2d,
  parts: readonly Tensor[],
  fusion: { residuals?: readonly Tensor[]; relu?: boolean } = {},
): Tensor<"f32">[] {
  if (parts.length === 1) {
    return [convNorm(conv, norm, parts[0]!, { residual: fusion.residuals?.[0], relu: fusion.relu })];
  }
  return tidy(() => {
    if (!norm.training) return norm.forwardParts(parts.map((x) => conv.forward(x)), fusion);
    const made = parts.map((x) => conv.forwardWithMoments(x));
    return norm.forwardParts(made.map(({ y }) => y), { ...fusion, moments: made.map(({ moments }) => moments) });
  });
}
