import { defineOp } from "../../autograd/mod.ts";
import type { DType, Tensor } from "../../tensor/mod.ts";
import { normalizeDims, stridesOf } from "../../tensor/internal.ts";
import { checkWords } from "../shared/check.ts";
import { gatherStrided } from "./strided.ts";

const flipOp = defineOp<[Tensor], { readonly dims: readonly number[] }, DType>({
  name: "flip",
  forward: (_context, [x], { dims }) => mirror(x, dims),
  backward: (_context, grad, { dims }) => [mirror(grad, dims)],
});

function mirror(x: Tensor, dims: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  const offset = x.size === 0 ? 0 : dims.reduce((sum, dim) => sum + (x.shape[dim]! - 1) * strides[dim]!, 0);
  for (const dim of dims) strides[dim]! *= -1;
  return gatherStrided("flip", { tensor: x, offset, strides }, x.shape);
}

/**
 * Reverses the order along axes.
 *
 * @param x Any shape, f32, i32 or u32.
 * @param dim One axis or several, negative ones counted from the end.
 * @throws {TypeError} If the dtype is another.
 * @throws {RangeError} If a dim is out of range or given twice.
 *
 * @example Usage
 * ```ts
 * import { Device, flip, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await flip(tensor([[1, 2], [3, 4]]), 1).data(), new Float32Array([2, 1, 4, 3]));
 * ```
 */
export function flip<D extends DType>(x: Tensor<D>, dim: number | readonly number[]): Tensor<D> {
  checkWords("flip", x);
  return flipOp([x], { dims: normalizeDims(dim, x.rank, "flip") }) as Tensor<D>;
}
