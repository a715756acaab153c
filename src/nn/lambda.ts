import type { Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";

/**
 * A module of no state, around a function.
 *
 * @example Usage
 * ```ts
 * import { Device, mul, tensor } from "@decoupled/uniformity";
 * import { Lambda } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const double = new Lambda((x) => mul(x, 2));
 * assertEquals(await double.forward(tensor([1, 2])).data(), new Float32Array([2, 4]));
 * ```
 */
export class Lambda extends Module {
  #fn: (x: Tensor) => Tensor;

  /** Computes `fn(x)`. */
  constructor(fn: (x: Tensor) => Tensor) {
    super();
    this.#fn = fn;
  }

  /** Computes `fn(x)`. */
  override forward(x: Tensor): Tensor {
    return this.#fn(x);
  }
}
