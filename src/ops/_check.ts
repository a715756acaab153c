import type { Tensor } from "../tensor/mod.ts";

/** Checks that a tensor is f32. */
export function checkFloat(op: string, ...tensors: Tensor[]): void {
  for (const { dtype, shape } of tensors) {
    if (dtype !== "f32") throw new TypeError(`Cannot compute ${op}() as x must be f32: got ${dtype} [${shape}]`);
  }
}
