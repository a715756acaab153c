import { defineOp } from "../../autograd/mod.ts";
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { castTo } from "../../tensor/internal.ts";

const castOp = defineOp<[Tensor], { readonly dtype: FloatDType }>({
  name: "cast",
  half: true,
  forward: (_context, [x], { dtype }) => castTo(x, dtype),
  backward: (_context, grad) => [grad.alias()], // which autograd gives the dtype of x
});

/**
 * Returns the same values in another precision; the gradient is cast back. From f32 to f16 values are rounded to 11
 * significant bits; those of magnitude above 65,504 become infinite, those below 6e-8 vanish.
 *
 * @param x Any shape, f32 or f16.
 * @param dtype `"f32"` or `"f16"`.
 * @returns The shape of x; another handle on its elements where it has that dtype already.
 * @throws {TypeError} If x is neither f32 nor f16.
 * @throws {DeviceError} If f16 is wanted of a device that lacks the feature `shader-f16`.
 *
 * @example Usage
 * ```ts
 * import { cast, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = cast(tensor([1, 1 / 3, 1e5]), "f16");
 * assertEquals([...await x.data()], [1, 0.333251953125, Infinity]);
 * ```
 *
 * @see `torch.Tensor.to`.
 */
export function cast<D extends FloatDType>(x: Tensor, dtype: D): Tensor<D> {
  if (dtype !== "f32" && dtype !== "f16") {
    throw new TypeError(`Cannot cast() as dtype must be "f32" or "f16": got ${JSON.stringify(dtype)}`);
  }
  return castOp([x], { dtype }) as Tensor as Tensor<D>;
}
