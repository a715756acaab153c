import { linearGram } from "../ops/mod.ts";
import { asRows, type Kernel } from "./kernel.ts";

/**
 * The linear kernel `k(x, y) = x · y`. Its values grow with the prior's: scale priors to a length near 1, or raise the
 * ridge with them.
 *
 * @returns A kernel of tensors `[n, d]`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { linearKernel } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = linearKernel();
 * assertEquals(await kernel(tensor([[2, 1]]), tensor([[3, 4]])).item(), 10);
 * ```
 */
export function linearKernel(): Kernel {
  return (x, y) => linearGram(asRows(x), asRows(y));
}
