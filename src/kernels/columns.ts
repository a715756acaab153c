import { slice } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { asRows, type Kernel } from "./kernel.ts";

/**
 * A kernel of some columns of a prior: with {@linkcode sumOf} or {@linkcode productOf}, several priors that stand side by
 * side in one tensor have a kernel each. For priors in tensors of their own there is {@linkcode over}.
 *
 * @param from First column, ≥ 0.
 * @param to The column after the last one, > `from`.
 * @param kernel A kernel of those columns.
 * @returns A kernel of tensors `[n, d]`, `d ≥ to`.
 * @throws {TypeError} When it is used, if the prior has fewer columns.
 * @throws {RangeError} If the columns are not integers with `0 ≤ from < to`.
 *
 * @example Attributes beside features
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { columns, cosine, productOf, rbf } from "@decoupled/uniformity/kernels";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = productOf([columns(0, 1, rbf({ sigma: 1 })), columns(1, 3, cosine())]);
 * const [x, y] = [tensor([[5, 0, 2]]), tensor([[5, 3, 3]])];
 * assertAlmostEquals(await kernel(x, y).item(), Math.SQRT1_2, 1e-6);
 * ```
 */
export function columns(from: number, to: number, kernel: Kernel): Kernel {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to > from)) {
    throw new RangeError(`Cannot make columns() as they must be integers with 0 <= from < to: got ${from} and ${to}`);
  }
  const part = (prior: Tensor) => {
    const rows = asRows(prior);
    if (rows.rank === 2 && rows.shape[1]! >= to) return slice(rows, [null, { start: from, stop: to }]);
    throw new TypeError(
      `Cannot take columns() ${from} to ${to} as the prior must be [n, d >= ${to}]: got [${prior.shape}]`,
    );
  };
  return (x, y) => kernel(part(x), part(y));
}
