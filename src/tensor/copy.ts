import type { Program } from "../device/mod.ts";
import { copy as code, lib_flat } from "../device/shaders.gen.ts";
import type { Tensor } from "./tensor.ts";

const COPY: Program = {
  name: "copy",
  code: [lib_flat, code],
  entryPoint: "copy",
  params: { size: "u32", offset: "u32" },
};

/**
 * Copies the elements of `x` into `target` from element `offset` on, outside any graph: for buffers that outlive a step.
 *
 * @param target Any shape; dtype of `x`, not `u8`.
 * @param x Any shape; at most `target.size - offset` elements.
 * @throws {TypeError} If the dtypes differ or are `u8`.
 * @throws {RangeError} If `x` does not fit.
 */
export function copyInto(target: Tensor, x: Tensor, offset = 0): void {
  if (target.dtype !== x.dtype || x.dtype === "u8") {
    throw new TypeError(`Cannot copyInto() as the dtypes must agree and not be u8: got ${target.dtype} and ${x.dtype}`);
  }
  if (offset < 0 || offset + x.size > target.size) {
    throw new RangeError(`Cannot copyInto() as x must fit: got [${x.shape}] at ${offset} of [${target.shape}]`);
  }
  target.device.run("copyInto", [target.shape, x.shape], () =>
    target.device.dispatch(COPY, {
      params: { size: x.size, offset },
      buffers: { 1: x.storage, 2: target.storage },
      workgroups: target.device.groups(x.size, 64),
    }));
}
