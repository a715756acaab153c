// Convolutions and their normalisations. In training a convolution leaves the moments that the normalisation behind it
// needs, and normalises what it reads where a normalisation and ReLU lie before it.
import { type Tensor, tidy } from "../tensor/mod.ts";
import type { BatchNorm2d } from "./batch_norm2d.ts";
import type { Conv2d, Convolved } from "./conv2d.ts";

/** A convolution and the normalisation behind it. */
export type ConvNorm = readonly [conv: Conv2d, norm: BatchNorm2d];

/** Normalises a batch in parts together, of a convolution and its normalisation. */
export function convNormParts(
  [conv, norm]: ConvNorm,
  parts: readonly Tensor[],
  fusion: { residuals?: readonly Tensor[]; relu?: boolean } = {},
): Tensor<"f32">[] {
  return tidy(() => normalize(norm, convolve(conv, norm, parts), fusion));
}

/**
 * Computes {@linkcode convNormParts} of several layers, a ReLU after each. The residuals of the last are made before its
 * convolution.
 */
export function convNormChain(
  [first, ...rest]: readonly [ConvNorm, ...ConvNorm[]],
  parts: readonly Tensor[],
  residuals: () => readonly Tensor[],
): Tensor<"f32">[] {
  return tidy(() => {
    let norm = first[1];
    let made = convolve(first[0], norm, parts);
    let added: readonly Tensor[] | undefined;
    for (const [i, next] of rest.entries()) {
      if (i === rest.length - 1) added = residuals();
      made = through(norm, made, next);
      norm = next[1];
    }
    return normalize(norm, made, { residuals: added, relu: true });
  });
}

/** The next convolution of what a normalisation and ReLU leave; parts are normalised together, in a pass of their own. */
function through(before: BatchNorm2d, made: readonly Convolved[], [conv, norm]: ConvNorm): Convolved[] {
  const read = made.length === 1 && norm.training ? before.forwardInto(conv, made[0]!) : null;
  return read ? [read] : convolve(conv, norm, normalize(before, made, { relu: true }));
}

function convolve(conv: Conv2d, norm: BatchNorm2d, parts: readonly Tensor[]): Convolved[] {
  return parts.map((x) => norm.training ? conv.forwardWithMoments(x) : { y: conv.forward(x), moments: null });
}

function normalize(
  norm: BatchNorm2d,
  made: readonly Convolved[],
  fusion: { residuals?: readonly Tensor[]; relu?: boolean },
): Tensor<"f32">[] {
  return norm.forwardParts(made.map(({ y }) => y), { ...fusion, moments: made.map(({ moments }) => moments) });
}
