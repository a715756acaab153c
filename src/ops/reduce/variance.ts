import { noGrad } from "../../autograd/mod.ts";
import { sizeOf, type Tensor } from "../../tensor/mod.ts";
import { checkOptions, normalizeDims } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { mul, sub } from "../elementwise/binary.ts";
import { less } from "../elementwise/compare.ts";
import { where } from "../elementwise/where.ts";
import { reshape } from "../move/reshape.ts";
import { mean, type ReduceOptions, sum } from "./sum.ts";
import { square } from "../elementwise/unary.ts";

/** Options of {@linkcode variance}: axes, and the divisor of the sum of squares. */
export interface VarianceOptions extends ReduceOptions {
  /**
   * Count taken from the number of elements: 1 by default, as in PyTorch (Bessel's correction); 0 for the biased
   * variance.
   */
  correction?: number;
}

/**
 * The variance `Σ (x − mean)² / (n − correction)` over some or all axes, in two passes; infinite only where
 * it is no f32.
 *
 * @param x Any shape, f32, with more than `correction` elements along the axes.
 * @param options `dim`, `keepDim` and `correction`.
 * @returns The shape of the axes that are left.
 * @throws {TypeError} If the dtype is not f32.
 * @throws {RangeError} If a dim is out of range or given twice, or there are not more than `correction` elements.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor, variance } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2, 3, 6]);
 * assertEquals(await variance(x, { correction: 0 }).item(), 3.5);
 * ```
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor<"f32"> {
  checkOptions("compute variance()", options, ["dim", "keepDim", "correction"]);
  checkFloat("variance", x);
  const { correction = 1, dim, keepDim } = options;
  const dims = normalizeDims(dim, x.rank, "variance");
  const count = sizeOf(dims.map((each) => x.shape[each]!));
  if (!(count > correction)) {
    throw new RangeError(
      `Cannot compute variance() as there must be more than ${correction} elements: got ${count} of x [${x.shape}]`,
    );
  }
  const of = (rows: Tensor) => {
    const squares = square(sub(rows, mean(rows, { dim: dims, keepDim: true })));
    return mul(sum(squares, { dim: dims, keepDim: true }), 1 / (count - correction));
  };
  // Sums, squares and their sums may be infinite where the variance is not: then all is taken by a smaller unit.
  const fits = noGrad(() => less(of(x), Infinity));
  const y = mul(of(mul(x, where(fits, 1, 2 ** -40))), where(fits, 1, 2 ** 80));
  return keepDim ? y : reshape(y, x.shape.filter((_, d) => !dims.includes(d)));
}
