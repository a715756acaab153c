import { defineOp } from "../../autograd/mod.ts";
import { type DType, type Shape, sizeOf, type Tensor } from "../../tensor/mod.ts";
import { checkList } from "../shared/check.ts";
import { normalizeDim } from "../../tensor/internal.ts";

const reshapeOp = defineOp<[Tensor], { readonly shape: Shape }, DType>({
  name: "reshape",
  half: true,
  forward: (_context, [x], { shape }) => x.alias(shape),
  backward: ({ shapes: [shape] }, grad) => [grad.alias(shape)],
});

/**
 * Returns the same elements in another shape, in row-major order; nothing is copied.
 *
 * @param x Any shape, any dtype.
 * @param shape Sizes with the same product; one may be −1 and is then what the others leave.
 * @throws {TypeError} If the sizes do not agree.
 *
 * @example Usage
 * ```ts
 * import { arange, Device, reshape } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(reshape(arange(0, 12), [3, -1]).shape, [3, 4]);
 * ```
 */
export function reshape<D extends DType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  checkList("reshape", "shape", shape);
  return reshapeOp([x], { shape: resolve(x, shape) }) as Tensor<D>;
}

/** The −1 worked out. */
function resolve(x: Tensor, shape: Shape): Shape {
  const free = shape.indexOf(-1);
  const known = sizeOf(shape.filter((n, axis) => axis !== free && Number.isInteger(n)));
  const size = free < 0 ? 1 : x.size / known;
  const full = shape.map((n, axis) => axis === free ? size : n);
  if (full.every((n) => Number.isInteger(n) && n >= 0) && sizeOf(full) === x.size) return full;
  throw new TypeError(
    `Cannot compute reshape() as the sizes must agree, with at most one -1: got x [${x.shape}] and [${shape}]`,
  );
}

/**
 * Drops axes of size 1.
 *
 * @param x Any shape, any dtype.
 * @param dim The axis to drop; all of size 1 by default.
 * @throws {TypeError} If the axis has another size.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, squeeze } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(squeeze(ones([1, 3, 1])).shape, [3]);
 * assertEquals(squeeze(ones([1, 3, 1]), -1).shape, [1, 3]);
 * ```
 */
export function squeeze<D extends DType>(x: Tensor<D>, dim?: number): Tensor<D> {
  if (dim === undefined) return reshape(x, x.shape.filter((n) => n !== 1));
  const axis = normalizeDim(dim, x.rank, "squeeze");
  if (x.shape[axis] !== 1) {
    throw new TypeError(`Cannot compute squeeze() as the axis must have size 1: got x [${x.shape}] and dim ${dim}`);
  }
  return reshape(x, x.shape.filter((_, i) => i !== axis));
}

/**
 * Adds an axis of size 1.
 *
 * @param x Any shape, any dtype.
 * @param dim Where the new axis is to be, −1 for the end.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, unsqueeze } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(unsqueeze(ones([2, 3]), 1).shape, [2, 1, 3]);
 * assertEquals(unsqueeze(ones([2, 3]), -1).shape, [2, 3, 1]);
 * ```
 */
export function unsqueeze<D extends DType>(x: Tensor<D>, dim: number): Tensor<D> {
  const axis = normalizeDim(dim, x.rank + 1, "unsqueeze");
  return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}
