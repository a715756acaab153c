import { defineProgram, type Param } from "../device/mod.ts";
import { lib_flat } from "../shaders/lib.ts";
import { copy as code } from "../shaders/tensor.ts";
import { bytesOf } from "./dtype.ts";
import { sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const COPY = defineProgram({
  name: "copy",
  code: [lib_flat, code],
  entryPoint: "copy",
});

/**
 * Copies the elements of `x` into `target` from element `offset` on, outside any graph: for buffers that outlive a step.
 *
 * @param target Any shape; dtype of `x`, of 4 bytes an element.
 * @param x Any shape; at most `target.size - offset` elements.
 * @param offset In elements; a function where a recorded step is to ask for it again at every replay.
 * @throws {TypeError} If the dtypes differ or are `u8` or `f16`.
 * @throws {RangeError} If `x` does not fit.
 *
 * @example Usage
 * ```ts
 * import { copyInto, Device, tensor, zeros } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const target = zeros([4]);
 * copyInto(target, tensor([1, 2]), 1);
 * assertEquals(await target.data(), new Float32Array([0, 1, 2, 0]));
 * ```
 */
export function copyInto(target: Tensor, x: Tensor, offset: Param = 0): void {
  if (target.dtype !== x.dtype || bytesOf(x.dtype) !== 4) {
    throw new TypeError(
      `Cannot copyInto() as the dtypes must agree and not be u8 or f16: got ${target.dtype} and ${x.dtype}`,
    );
  }
  const fitting = (start: number) => {
    if (start >= 0 && start + x.size <= target.size) return start;
    throw new RangeError(`Cannot copyInto() as x must fit: got [${x.shape}] at ${start} of [${target.shape}]`);
  };
  copyWords(target, x, x.size, typeof offset === "number" ? fitting(offset) : () => fitting(offset()));
}

/**
 * Copies all elements of `x` into `target`, outside any graph; of any dtype.
 *
 * @throws {TypeError} If shapes or dtypes differ.
 */
export function assign(target: Tensor, x: Tensor): void {
  if (target.dtype !== x.dtype || !sameShape(target.shape, x.shape)) {
    throw new TypeError(
      `Cannot assign() as shapes and dtypes must agree: got ${target.dtype} [${target.shape}] and ${x.dtype} [${x.shape}]`,
    );
  }
  target.storage.forget();
  copyWords(target, x, Math.ceil(x.bytes / 4), 0);
}

function copyWords(target: Tensor, x: Tensor, size: number, offset: Param): void {
  target.device.run("copyInto", [target.shape, x.shape], () =>
    target.device.dispatch(COPY, {
      params: { size, offset },
      buffers: { 1: x.storage, 2: target.storage },
      workgroups: target.device.groups(size, 64),
    }));
}
