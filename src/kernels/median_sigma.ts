import type { Device } from "../device/mod.ts";
import { noGrad } from "../autograd/mod.ts";
import { squaredDistances } from "../ops/mod.ts";
import { type Shape, type Tensor, tensor } from "../tensor/mod.ts";
import { checkPrior } from "./check_prior.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode medianSigma}. */
export interface MedianSigmaOptions {
  /** Rows looked at, evenly spaced over the prior; 1024 by default, at least 2. */
  readonly maxRows?: number;
}

/**
 * The median heuristic: the median distance between two samples whose priors differ, as the σ of `rbf`. The kernel is
 * then `e^(−1/2)` ≈ 0.61 for the typical pair, neither nearly constant nor nearly the identity.
 *
 * Reads back; meant to be called once, on the whole prior.
 *
 * @param prior f32 `[n, d]`, or `[n]`.
 * @param options `maxRows`.
 * @returns σ > 0, a length in the prior's unit.
 * @throws {TypeError} If the prior is not f32 of rank 1 or 2.
 * @throws {RangeError} If it has a NaN, or fewer than two rows that differ, or `maxRows` is less than 2.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { medianSigma } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await medianSigma(tensor([[0, 0], [0, 3], [4, 0]])), 4); // of 3, 4 and 5
 * ```
 */
export async function medianSigma(prior: Tensor, options: MedianSigmaOptions = {}): Promise<number> {
  checkOptions("compute medianSigma()", options, ["maxRows"]);
  const { maxRows = 1024 } = options;
  if (prior.dtype !== "f32" || prior.rank < 1 || prior.rank > 2) {
    throw new TypeError(
      `Cannot compute medianSigma() as prior must be f32 [n, d] or [n]: got prior ${prior.dtype} [${prior.shape}]`,
    );
  }
  if (!(Number.isInteger(maxRows) && maxRows >= 2)) {
    throw new RangeError(`Cannot compute medianSigma() as maxRows must be an integer >= 2: got ${maxRows}`);
  }
  const values = Float32Array.from(await prior.data());
  checkPrior(values, prior.shape);
  const scale = scaleFor(values);
  const rows = spacedRows(values.map((v) => v * scale), prior.shape, maxRows);
  const distances = prior.size === 0 ? [] : await differingPairs(rows, prior.device);
  if (distances.length === 0) {
    throw new RangeError(
      `Cannot compute medianSigma() as at least two rows of the prior must differ: got prior [${prior.shape}]`,
    );
  }
  return Math.sqrt(distances[Math.floor(distances.length / 2)]!) / scale;
}

/** A power of two that keeps the squares of values far from 1 within f32; 1 where they are there. */
function scaleFor(values: Float32Array): number {
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const exponent = largest > 0 ? Math.round(Math.log2(largest)) : 0;
  return Math.abs(exponent) < 40 ? 1 : 2 ** -exponent;
}

interface Rows {
  readonly values: Float32Array<ArrayBuffer>;
  readonly count: number;
}

/** Squared distances > 0 of the pairs, sorted. */
async function differingPairs({ values, count }: Rows, device: Device): Promise<Float32Array> {
  using x = tensor(values, { shape: [count, values.length / count], device });
  using squared = noGrad(() => squaredDistances(x, x));
  const distances = await squared.data();
  return Float32Array.from(distances).filter((d, k) => d > 0 && k % count > Math.floor(k / count)).sort();
}

function spacedRows(values: Float32Array<ArrayBuffer>, shape: Shape, maxRows: number): Rows {
  const n = shape[0]!;
  if (n <= maxRows) return { values, count: n };
  const width = values.length / n;
  const rows = new Set(Array.from({ length: maxRows }, (_, i) => Math.floor(i * n / maxRows)));
  return { values: values.filter((_, i) => rows.has(Math.floor(i / width))), count: maxRows };
}
