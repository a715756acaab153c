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

/** Layers beside the chain of a block, which adds what they make. */
export interface Shortcut {
  /** Convolution and normalisation; null where a hook waits for what they make. */
  readonly convNorm: ConvNorm | null;
  /** Runs them on a batch in parts. */
  forwardParts(parts: readonly Tensor[]): Tensor<"f32">[];
}

/**
 * Computes {@linkcode convNormParts} of several layers, a ReLU after each; before the last, adds the shortcut, or the parts
 * themselves. The convolution of the shortcut runs before the last.
 */
export function convNormChain(
  [first, ...rest]: readonly [ConvNorm, ...ConvNorm[]],
  parts: readonly Tensor[],
  shortcut: Shortcut | null,
): Tensor<"f32">[] {
  return tidy(() => {
    let norm = first[1];
    let made = convolve(first[0], norm, parts);
    let beside: readonly Tensor[] | Pending = parts;
    for (const [i, next] of rest.entries()) {
      if (shortcut && i === rest.length - 1) beside = shortcutOf(shortcut, parts);
      made = through(norm, made, next);
      norm = next[1];
    }
    return add(norm, made, beside);
  });
}

/** Output of a convolution that is yet to be normalised. */
interface Pending {
  readonly made: Convolved;
  readonly norm: BatchNorm2d;
}

/** Runs a shortcut; of one part, leaves the normalisation to the sum. */
function shortcutOf(shortcut: Shortcut, parts: readonly Tensor[]): readonly Tensor[] | Pending {
  if (!shortcut.convNorm || parts.length > 1) return shortcut.forwardParts(parts);
  const [conv, norm] = shortcut.convNorm;
  return { made: convolve(conv, norm, parts)[0]!, norm };
}

/** Normalises the outputs of the convolution, adds the shortcut, and applies ReLU. */
function add(
  norm: BatchNorm2d,
  made: readonly Convolved[],
  beside: readonly Tensor[] | Pending,
): Tensor<"f32">[] {
  if (!("norm" in beside)) return normalize(norm, made, { residuals: beside, relu: true });
  const sum = norm.forwardAdded(made[0]!, beside.norm, beside.made);
  return sum ? [sum] : normalize(norm, made, { residuals: normalize(beside.norm, [beside.made], {}), relu: true });
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
