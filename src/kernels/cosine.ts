import { cosineGram } from "../ops/mod.ts";
import { asRows, type Kernel } from "./kernel.ts";

/**
 * The cosine kernel `k(x, y) = x · y / (‖x‖ ‖y‖)`; a prior of zeros has similarity 0 to all.
 *
 * @returns A kernel of tensors `[n, d]`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { cosine } from "@decoupled/uniformity/kernels";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = cosine();
 * assertAlmostEquals(await kernel(tensor([[2, 0]]), tensor([[3, 4]])).item(), 0.6, 1e-6);
 * ```
 */
export function cosine(): Kernel {
  return (x, y) => {
    const rows = asRows(x);
    return cosineGram(rows, y === x ? rows : asRows(y));
  };
}
