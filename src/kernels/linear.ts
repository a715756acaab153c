import { linearGram } from "../ops/mod.ts";
import { type Kernel, rowsOf } from "./kernel.ts";

/**
 * The linear kernel `k(x, y) = x · y`. Its values grow with the prior's: scale priors to a length near 1, or raise the
 * ridge with them.
 *
 * @returns A kernel of tensors `[n, d]`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { linear } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = linear();
 * assertEquals(await kernel(tensor([[2, 1]]), tensor([[3, 4]])).item(), 10);
 * ```
 */
export function linear(): Kernel {
  return (x, y) => linearGram(rowsOf(x), rowsOf(y));
}
