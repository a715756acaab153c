import { defineProgram } from "../device/mod.ts";
import { lib_flat } from "../shaders/lib.ts";
import { cast as code } from "../shaders/tensor.ts";
import { elementAliases, type FloatDType } from "./half.ts";
import { Tensor } from "./tensor.ts";

function program(from: FloatDType, to: FloatDType) {
  return defineProgram({
    name: `cast ${to}`,
    code: [elementAliases({ X: from, Y: to }), lib_flat, code],
    entryPoint: "cast_to",
  });
}

const CAST = { f16: program("f32", "f16"), f32: program("f16", "f32") } as const;

/**
 * Returns the same values in another precision, outside any graph; another handle on `x` where it has that dtype
 * already.
 */
export function castTo<D extends FloatDType>(x: Tensor, dtype: D): Tensor<D> {
  if (x.dtype === dtype) return x.alias() as Tensor as Tensor<D>;
  if (x.dtype !== "f32" && x.dtype !== "f16") {
    throw new TypeError(`Cannot cast() as x must be f32 or f16: got ${x.dtype} [${x.shape}]`);
  }
  const y = new Tensor<D>(x.device, x.shape, { dtype });
  const size = Math.ceil(x.size / 4);
  x.device.dispatch(CAST[dtype], {
    params: { size },
    buffers: { 1: x.storage, 2: y.storage },
    workgroups: x.device.groups(size, 64),
  });
  return y;
}
