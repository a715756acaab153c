import { fullPrecision } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { pairShape } from "./_pairs.ts";
import { matmul } from "../product/matmul.ts";

/**
 * Gram matrix of the linear kernel: `k[i, j] = x[i] · y[j]`.
 *
 * @param x Rows, f32 `[n, d]`.
 * @param y Rows, f32 `[m, d]`.
 * @returns f32 `[n, m]`.
 * @throws {TypeError} If the ranks are not 2, the widths differ, or a dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, linearGram, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const k = linearGram(tensor([[1, 2]]), tensor([[3, 4], [0, 1]]));
 * assertEquals(await k.data(), new Float32Array([11, 2]));
 * ```
 */
export function linearGram(x: Tensor, y: Tensor): Tensor<"f32"> {
  pairShape("linearGram", x, y);
  return fullPrecision(() => matmul(x, y, { transposeB: true }));
}
