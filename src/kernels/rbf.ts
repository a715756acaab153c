import { mul, rbfGram } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { asRows, type Kernel } from "./kernel.ts";

/** Width of {@linkcode rbf}: one of the two. */
export type RbfOptions =
  | {
    /** σ > 0, a length in the prior's unit. */
    readonly sigma: number;
    /** Absent where `sigma` is given. */
    readonly gamma?: undefined;
  }
  | {
    /** γ > 0, in 1/length². */
    readonly gamma: number;
    /** Absent where `gamma` is given. */
    readonly sigma?: undefined;
  };

/** Largest binary exponent of σ that is left alone. */
const MOST_EXPONENT = 50;

/**
 * The Gaussian kernel `k(x, y) = exp(−γ ‖x − y‖²)`, `γ = 1 / (2σ²)`.
 *
 * A σ far above the distances between priors makes it nearly constant, one far below makes it nearly the identity; in
 * both cases the prior says nothing. Priors and σ may be of any size that f32 holds, as long as their quotient is one too. `medianSigma` gives a start and `describeKernel` tells.
 *
 * @param options `sigma` or `gamma`.
 * @returns A kernel of tensors `[n, d]`, or `[n]` for one attribute.
 * @throws {TypeError} If both or none of the two are given.
 * @throws {RangeError} If it is not > 0 and finite as an f32 (σ from 1.2e-38 to 3.4e38, γ up to 1e38).
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { rbf } from "@decoupled/uniformity/kernels";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = rbf({ sigma: 2 });
 * assertAlmostEquals(await kernel(tensor([[0]]), tensor([[2]])).item(), Math.exp(-0.5), 1e-6);
 * ```
 */
export function rbf(options: RbfOptions): Kernel {
  checkOptions("make rbf()", options ?? {}, ["sigma", "gamma"]);
  const { sigma, gamma } = options ?? {};
  if ((sigma === undefined) === (gamma === undefined)) {
    throw new TypeError(
      `Cannot make rbf() as one of sigma and gamma must be given: got sigma ${sigma} and gamma ${gamma}`,
    );
  }
  if (sigma === undefined) {
    checkSetting("make rbf()", "gamma", gamma!, { most: 1e38 });
    return (x, y) => rbfGram(asRows(x), asRows(y), { gamma: gamma! });
  }
  checkSetting("make rbf()", "sigma", sigma);
  const scale = scaleOf(sigma);
  const width = { gamma: 1 / (2 * (sigma * scale) ** 2) };
  const inUnits = (prior: Tensor) => scale === 1 ? asRows(prior) : mul(asRows(prior), scale);
  return (x, y) => {
    const rows = inUnits(x);
    return rbfGram(rows, y === x ? rows : inUnits(y), width);
  };
}

/** Factor that brings a width near 1 whose square, or its inverse, is no f32: a power of two, which rounds nothing; else 1. */
function scaleOf(sigma: number): number {
  const exponent = Math.max(-126, Math.min(126, Math.round(Math.log2(sigma))));
  return Math.abs(exponent) < MOST_EXPONENT ? 1 : 2 ** -exponent;
}
