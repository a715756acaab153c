import { rbfGram } from "../ops/mod.ts";
import { type Kernel, rowsOf } from "./kernel.ts";

/** Width of {@linkcode rbf}: one of the two. */
export type RbfOptions =
  | {
    /** σ > 0, a length in the prior's unit. */
    readonly sigma: number;
    /** Not with `sigma`. */
    readonly gamma?: undefined;
  }
  | {
    /** γ > 0, in 1/length². */
    readonly gamma: number;
    /** Not with `gamma`. */
    readonly sigma?: undefined;
  };

/**
 * The Gaussian kernel `k(x, y) = exp(−γ ‖x − y‖²)`, `γ = 1 / (2σ²)`.
 *
 * A σ far above the distances between priors makes it nearly constant, one far below makes it nearly the identity; in
 * both cases the prior says nothing. `medianSigma` gives a start and `describeKernel` tells.
 *
 * @param options `sigma` or `gamma`.
 * @returns A kernel of tensors `[n, d]`, or `[n]` for one attribute.
 * @throws {TypeError} If both or none of the two are given.
 * @throws {RangeError} If it is not a positive finite number.
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
  const { sigma, gamma } = options;
  if ((sigma === undefined) === (gamma === undefined)) {
    throw new TypeError(
      `Cannot make rbf() as one of sigma and gamma must be given: got sigma ${sigma} and gamma ${gamma}`,
    );
  }
  const [name, value] = sigma === undefined ? ["gamma", gamma!] as const : ["sigma", sigma] as const;
  const inverse = sigma === undefined ? value : 1 / (2 * value * value);
  if (!(value > 0 && inverse > 0 && Number.isFinite(inverse))) {
    throw new RangeError(`Cannot make rbf() as ${name} must be > 0 and finite: current value is ${value}`);
  }
  return (x, y) => rbfGram(rowsOf(x), rowsOf(y), { gamma: inverse });
}
