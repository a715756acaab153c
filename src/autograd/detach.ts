import type { DType, Tensor } from "../tensor/mod.ts";

/**
 * Returns the same elements outside the graph: no gradient flows through.
 *
 * @example Usage
 * ```ts
 * import { detach, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await detach(tensor([1, 2])).data(), new Float32Array([1, 2]));
 * ```
 */
export function detach<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.alias();
}

/**
 * Marks a leaf as wanting a gradient, and returns it.
 *
 * @throws {TypeError} If an op made it, or it is not f32 or f16.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, mul, requireGrad, sum, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = requireGrad(tensor([1, 2, 3]));
 * backward(sum(mul(x, x)));
 * assertEquals(await x.grad!.data(), new Float32Array([2, 4, 6]));
 * ```
 */
export function requireGrad<T extends Tensor>(x: T): T {
  if (x.link) throw new TypeError(`Cannot requireGrad() on the output of an op [${x.shape}]: detach() it first`);
  if (x.dtype !== "f32" && x.dtype !== "f16") {
    throw new TypeError(`Cannot requireGrad() as the dtype must be f32 or f16: got ${x.dtype}`);
  }
  x.requiresGrad = true;
  return x;
}
