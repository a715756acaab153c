import type { Tensor } from "../tensor/mod.ts";

/** Checks that tensors hold values: f32, or f16, which ops without a form for it read as f32. */
export function checkFloat(op: string, ...tensors: Tensor[]): void {
  for (const { dtype, shape } of tensors) {
    if (dtype === "f32" || dtype === "f16") continue;
    throw new TypeError(`Cannot compute ${op}() as x must be f32: got ${dtype} [${shape}]`);
  }
}
