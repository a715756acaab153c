import { add, l2Normalize, maximum, mean, mul, pairTerm, pow, square, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkFactor, checkPositive, checkTwoViews } from "./_check.ts";
import { twoViews } from "./_views.ts";

/** Options of {@linkcode alignUniform}. */
export interface AlignUniformOptions {
  /** Power of the distance of two views, > 0; 2 by default. */
  readonly alpha?: number;
  /** Inverse squared distance on the sphere, > 0; 2 by default. */
  readonly t?: number;
  /** Factor of the alignment, ≥ 0; 1 by default. */
  readonly alignWeight?: number;
  /** Factor of the uniformity, ≥ 0; 1 by default. */
  readonly unifWeight?: number;
}

/** Squared distance (10⁻¹² of a unit vector) below which two views are one: a power below 2 has no slope there. */
const LEAST_SQUARED_DISTANCE = 1e-24;

/**
 * Alignment and uniformity: views of a sample near each other, samples far from each other, as two separate terms.
 *
 * `L = alignWeight · mean_i ‖xᵢ − yᵢ‖^α + unifWeight · (U(x) + U(y)) / 2` with
 * `U(x) = log mean_{i<j} exp(−t ‖xᵢ − xⱼ‖²)`, where x and y are the unit-length first and second views.
 *
 * @param z Embeddings of two views, f32 `[batch, 2, features]`, batch ≥ 2; normalised here.
 * @param options `alpha`, `t`, `alignWeight` and `unifWeight`.
 * @returns The loss, f32 `[]`; 0 at collapse.
 * @throws {TypeError} If `z` is not of rank 3 or not f32.
 * @throws {RangeError} If `batch < 2`, there are not exactly two views, or an option is out of its range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { alignUniform } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const z = tensor([[[1, 0], [0, 1]], [[-1, 0], [0, -1]]]); // views at a right angle, samples opposite
 * assertAlmostEquals(await alignUniform(z).item(), 2 - 8, 1e-5);
 * ```
 *
 * @see Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
 * Hypersphere", arXiv:2005.10242, equations 5 to 7.
 */
export function alignUniform(z: Tensor, options: AlignUniformOptions = {}): Tensor<"f32"> {
  checkOptions("compute alignUniform()", options, ["alpha", "t", "alignWeight", "unifWeight"]);
  const { alpha = 2, t = 2, alignWeight = 1, unifWeight = 1 } = options;
  checkTwoViews("alignUniform", z);
  checkPositive("alignUniform", "alpha", alpha);
  checkPositive("alignUniform", "t", t);
  checkFactor("alignUniform", "alignWeight", alignWeight);
  checkFactor("alignUniform", "unifWeight", unifWeight);
  const [x, y] = twoViews(l2Normalize(z));
  const uniformity = add(pairTerm(x, { t }), pairTerm(y, { t }));
  return add(mul(alignment(x, y, alpha), alignWeight), mul(uniformity, unifWeight / 2));
}

/** Computes the alignment `mean_i ‖xᵢ − yᵢ‖^α`. */
function alignment(x: Tensor, y: Tensor, alpha: number): Tensor {
  const squared = sum(square(sub(x, y)), { dim: 1 });
  return mean(alpha === 2 ? squared : pow(maximum(squared, LEAST_SQUARED_DISTANCE), alpha / 2));
}
