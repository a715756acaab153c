import { defineOp } from "../../autograd/mod.ts";
import { broadcastShapes, type DType, sameShape, type Shape, type Tensor } from "../../tensor/mod.ts";
import { broadcastStrides } from "../shared/axes.ts";
import { checkWords } from "../shared/check.ts";
import { gatherStrided } from "./strided.ts";
import { sumTo } from "../shared/sum_to.ts";

const broadcastToOp = defineOp<[Tensor], { readonly shape: Shape }, DType>({
  name: "broadcastTo",
  forward: (_context, [x], { shape }) =>
    sameShape(x.shape, shape)
      ? x.alias()
      : gatherStrided("broadcastTo", { tensor: x, strides: broadcastStrides(x.shape, shape) }, shape),
  backward: ({ shapes: [shape] }, grad) => [sumTo(grad, shape!)],
});

/**
 * Repeats an array along axes of size 1 and along new leading axes, by NumPy's rule. The elements are copied: most ops
 * broadcast by themselves, without.
 *
 * @param x Any shape, f32, i32 or u32.
 * @param shape A shape that `x` broadcasts to.
 * @throws {TypeError} If the dtype is another, or `x` does not broadcast to the shape.
 *
 * @example Usage
 * ```ts
 * import { broadcastTo, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await broadcastTo(tensor([[1], [2]]), [2, 2]).data(), new Float32Array([1, 1, 2, 2]));
 * ```
 */
export function broadcastTo<D extends DType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  checkWords("broadcastTo", x);
  if (!sameShape(broadcastShapes(x.shape, shape, "broadcastTo"), shape)) {
    throw new TypeError(
      `Cannot compute broadcastTo() as x must broadcast to the shape: got x [${x.shape}] and [${shape}]`,
    );
  }
  return broadcastToOp([x], { shape }) as Tensor<D>;
}
