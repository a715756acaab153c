import { defineOp } from "../../autograd/mod.ts";
import { type DType, full, type Tensor } from "../../tensor/mod.ts";
import { checkOptions, stridesOf } from "../../tensor/internal.ts";
import { checkList, checkWords } from "../shared/check.ts";
import { copyStrided, gatherStrided } from "./strided.ts";

interface Attrs {
  readonly pads: readonly (readonly [number, number])[];
  readonly value: number;
}

const padOp = defineOp<[Tensor], Attrs, DType>({
  name: "pad",
  forward(_context, [x], { pads, value }) {
    const shape = x.shape.map((size, axis) => pads[axis]![0] + size + pads[axis]![1]);
    const y = full(shape, value, { dtype: x.dtype, device: x.device });
    copyStrided("pad", { tensor: x }, { tensor: y, ...inside(y, pads) }, x.shape);
    return y;
  },
  backward({ shapes: [shape] }, grad, { pads }) {
    return [gatherStrided("pad grad", { tensor: grad, ...inside(grad, pads) }, shape!)];
  },
});

/** The part of a padded array that was there before. */
function inside(y: Tensor, pads: Attrs["pads"]): { offset: number; strides: readonly number[] } {
  const strides = stridesOf(y.shape);
  return { offset: pads.reduce((sum, [before], axis) => sum + before * strides[axis]!, 0), strides };
}

/**
 * Adds elements of one value around an array.
 *
 * @param x Any shape, f32, i32 or u32.
 * @param pads For each axis, how many elements to add `[before, after]`, ≥ 0.
 * @param options `value` of the new elements, 0 by default.
 * @throws {TypeError} If the dtype is another, or there is not one pair for each axis.
 * @throws {RangeError} If a number of elements is not an integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { Device, pad, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = pad(tensor([[1, 2]]), [[0, 1], [1, 0]], { value: 9 });
 * assertEquals(y.shape, [2, 3]);
 * assertEquals(await y.data(), new Float32Array([9, 1, 2, 9, 9, 9]));
 * ```
 */
export function pad<D extends DType>(
  x: Tensor<D>,
  pads: readonly (readonly [before: number, after: number])[],
  options: { value?: number } = {},
): Tensor<D> {
  checkOptions("compute pad()", options, ["value"]);
  checkWords("pad", x);
  for (const each of [pads, ...pads]) checkList("pad", "pads and each of them", each);
  if (pads.length !== x.rank) {
    throw new TypeError(
      `Cannot compute pad() as pads must have a pair for each axis: got x [${x.shape}] and ${pads.length} pairs`,
    );
  }
  for (const n of pads.flat()) {
    if (!Number.isInteger(n) || n < 0) {
      throw new RangeError(`Cannot compute pad() as pads must be integers >= 0: got [${pads.join("], [")}]`);
    }
  }
  return padOp([x], { pads, value: options.value ?? 0 }) as Tensor<D>;
}
