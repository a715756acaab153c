import { fullPrecision } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { pairShape } from "./_pairs.ts";
import { l2Normalize } from "../norm/l2_normalize.ts";
import { matmul } from "../product/matmul.ts";

/** The smallest f32: any row but one of zeros has a direction. */
const LEAST = 2 ** -126;

/**
 * Gram matrix of the cosine kernel: `k[i, j] = x[i] · y[j] / (‖x[i]‖ ‖y[j]‖)`.
 *
 * A row of zeros has no direction: its similarity to every row, itself included, is 0. Any other row has one, however short
 * or long (1e±30).
 *
 * @param x Rows, f32 `[n, d]`.
 * @param y Rows, f32 `[m, d]`.
 * @returns f32 `[n, m]`, in [−1, 1] up to rounding.
 * @throws {TypeError} If the ranks are not 2, the widths differ, or a dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { cosineGram, Device, tensor } from "@decoupled/uniformity";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await cosineGram(tensor([[2, 0]]), tensor([[3, 4], [0, 0]])).data(), [0.6, 0]);
 * ```
 */
export function cosineGram(x: Tensor, y: Tensor): Tensor<"f32"> {
  pairShape("cosineGram", x, y);
  const unit = l2Normalize(x, { eps: LEAST });
  const other = y === x ? unit : l2Normalize(y, { eps: LEAST });
  return fullPrecision(() => matmul(unit, other, { transposeB: true }));
}
