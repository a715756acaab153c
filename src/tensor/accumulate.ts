import type { Program } from "../device/mod.ts";
import { accumulate as code, lib_flat } from "../device/shaders.gen.ts";
import { Tensor } from "./tensor.ts";

const ACCUMULATE: Program = {
  name: "accumulate",
  code: [lib_flat, code],
  entryPoint: "accumulate",
  params: { size: "u32" },
};
const SUM_OF: Program = { ...ACCUMULATE, entryPoint: "sum_of" };

/** Adds `x` to `total` in place; both f32 of one shape, and nobody else may hold `total`'s storage. */
export function accumulate(total: Tensor, x: Tensor): void {
  if (total.storage === x.storage) throw new TypeError("Cannot accumulate() a tensor into itself");
  const size = Math.ceil(total.size / 4);
  total.device.run("accumulate", [total.shape], () =>
    total.device.dispatch(ACCUMULATE, {
      params: { size },
      buffers: { 1: total.storage, 2: x.storage },
      workgroups: total.device.groups(size, 64),
    }));
}

/** `x + y` of two f32 tensors of one shape. */
export function sumOf(x: Tensor, y: Tensor): Tensor {
  const size = Math.ceil(x.size / 4);
  return x.device.run("sumOf", [x.shape], () => {
    const total = new Tensor(x.device, x.shape);
    x.device.dispatch(SUM_OF, {
      params: { size },
      buffers: { 1: total.storage, 2: x.storage, 3: y.storage },
      workgroups: x.device.groups(size, 64),
    });
    return total;
  });
}
