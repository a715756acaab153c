import { defineProgram } from "../device/mod.ts";
import { lib_flat } from "../shaders/lib.ts";
import { accumulate as code } from "../shaders/tensor.ts";
import { elementAliases, type FloatDType, floatOf } from "./half.ts";
import { Tensor } from "./tensor.ts";

function programs(entryPoint: string) {
  const make = (dtype: FloatDType) =>
    defineProgram({ name: "accumulate", code: [elementAliases({ X: dtype }), lib_flat, code], entryPoint });
  return { f32: make("f32"), f16: make("f16") };
}

const ACCUMULATE = programs("accumulate");
const SUM_OF = programs("sum_of");

/** Adds `x` to `total` in place; both f32 or both f16, of one shape, and nobody else may hold `total`'s storage. */
export function accumulate(total: Tensor, x: Tensor): void {
  if (total.storage === x.storage) throw new TypeError("Cannot accumulate() a tensor into itself");
  const size = Math.ceil(total.size / 4);
  total.device.run("accumulate", [total.shape], () =>
    total.device.dispatch(ACCUMULATE[floatOf(total)], {
      params: { size },
      buffers: { 1: total.storage, 2: x.storage },
      workgroups: total.device.groups(size, 64),
    }));
}

/** Computes `x + y` of two tensors of one shape, both f32 or both f16. */
export function addPair(x: Tensor, y: Tensor): Tensor {
  const size = Math.ceil(x.size / 4);
  return x.device.run("addPair", [x.shape], () => {
    const total = new Tensor(x.device, x.shape, { dtype: x.dtype });
    x.device.dispatch(SUM_OF[floatOf(x)], {
      params: { size },
      buffers: { 1: total.storage, 2: x.storage, 3: y.storage },
      workgroups: x.device.groups(size, 64),
    });
    return total;
  });
}
