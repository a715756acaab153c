import { defineOp } from "../../autograd/mod.ts";
import type { DType, Tensor } from "../../tensor/mod.ts";
import { normalizeDim, stridesOf } from "../../tensor/internal.ts";
import { checkList, checkWords } from "../shared/check.ts";
import { gatherStrided } from "./strided.ts";

const permuteOp = defineOp<[Tensor], { readonly dims: readonly number[] }, DType>({
  name: "permute",
  forward: (_context, [x], { dims }) => reorder(x, dims),
  backward(_context, grad, { dims }) {
    const inverse = new Array<number>(dims.length);
    dims.forEach((dim, axis) => inverse[dim] = axis);
    return [reorder(grad, inverse)];
  },
});

function reorder(x: Tensor, dims: readonly number[]): Tensor {
  const shape = dims.map((dim) => x.shape[dim]!);
  const moved = dims.filter((dim) => x.shape[dim] !== 1);
  if (moved.every((dim, i) => i === 0 || dim > moved[i - 1]!)) return x.alias(shape); // only axes of size 1 moved
  const strides = stridesOf(x.shape);
  return gatherStrided("permute", { tensor: x, strides: dims.map((dim) => strides[dim]!) }, shape);
}

/**
 * Puts the axes into another order: axis i of the result is axis `dims[i]` of `x`.
 *
 * @param x Any shape, f32, i32 or u32.
 * @param dims Every axis once, negative ones counted from the end.
 * @throws {TypeError} If the dtype is another, or `dims` does not name every axis.
 * @throws {RangeError} If a dim is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, permute, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals(await permute(x, [1, 0]).data(), new Float32Array([1, 4, 2, 5, 3, 6]));
 * ```
 */
export function permute<D extends DType>(x: Tensor<D>, dims: readonly number[]): Tensor<D> {
  checkWords("permute", x);
  checkList("permute", "dims", dims);
  const order = dims.map((dim) => normalizeDim(dim, x.rank, "permute"));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new TypeError(`Cannot compute permute() as dims must name every axis once: got x [${x.shape}] and [${dims}]`);
  }
  return permuteOp([x], { dims: order }) as Tensor<D>;
}

/**
 * Swaps two axes, the last two by default.
 *
 * @param x Any shape of rank ≥ 2, f32, i32 or u32.
 * @throws {TypeError} If the dtype is another.
 * @throws {RangeError} If a dim is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, transpose } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(transpose(ones([2, 3, 5])).shape, [2, 5, 3]);
 * assertEquals(transpose(ones([2, 3, 5]), 0, 1).shape, [3, 2, 5]);
 * ```
 */
export function transpose<D extends DType>(x: Tensor<D>, dim0 = -2, dim1 = -1): Tensor<D> {
  checkWords("transpose", x);
  const [a, b] = [normalizeDim(dim0, x.rank, "transpose"), normalizeDim(dim1, x.rank, "transpose")];
  const dims = x.shape.map((_, axis) => axis === a ? b : axis === b ? a : axis);
  return permuteOp([x], { dims }) as Tensor<D>;
}
