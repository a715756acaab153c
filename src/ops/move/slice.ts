import { defineOp } from "../../autograd/mod.ts";
import { type DType, type Shape, type Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions, stridesOf } from "../../tensor/internal.ts";
import { checkList, checkWords } from "../shared/check.ts";
import { copyStrided, gatherStrided } from "./strided.ts";

/** Part of an axis, as Python's `start:stop:step`. */
export interface SliceRange {
  /** First index, counted from the end when negative; by default the first one of the direction. */
  readonly start?: number;
  /** Index to stop before, counted from the end when negative; by default past the last one of the direction. */
  readonly stop?: number;
  /** Step from one index to the next, not 0; negative ones walk backwards. 1 by default. */
  readonly step?: number;
}

/** Ranges worked out: the shape of the part, and how x is walked. */
interface Part {
  readonly shape: Shape;
  readonly offset: number;
  readonly strides: readonly number[];
}

const sliceOp = defineOp<[Tensor], Part, DType>({
  name: "slice",
  forward: (_context, [x], { shape, offset, strides }) => gatherStrided("slice", { tensor: x, offset, strides }, shape),
  backward({ shapes: [shape] }, grad, part) {
    const gradX = zeros(shape!, { device: grad.device });
    const { offset, strides } = part;
    copyStrided("slice grad", { tensor: grad }, { tensor: gradX, offset, strides }, part.shape);
    return [gradX];
  },
});

/**
 * Part of an array, as NumPy's `x[start:stop:step, …]`.
 *
 * @param x Any shape, f32, i32 or u32.
 * @param ranges A range for each of the first axes, `null` for all of an axis; later axes are taken whole. Bounds beyond
 *   the ends are cut off, as Python's.
 * @returns As many axes as `x`; some may be empty.
 * @throws {TypeError} If the dtype is another, or there are more ranges than axes.
 * @throws {RangeError} If a bound is no integer, or a step is 0.
 *
 * @example Usage
 * ```ts
 * import { Device, slice, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals(await slice(x, [null, { start: 1 }]).data(), new Float32Array([2, 3, 5, 6]));
 * assertEquals(await slice(x, [{ start: -1 }, { step: -2 }]).data(), new Float32Array([6, 4]));
 * ```
 */
export function slice<D extends DType>(x: Tensor<D>, ranges: readonly (SliceRange | null)[]): Tensor<D> {
  checkWords("slice", x);
  checkList("slice", "ranges", ranges);
  if (ranges.length > x.rank) {
    throw new TypeError(
      `Cannot compute slice() as there are more ranges than axes: got x [${x.shape}] and ${ranges.length}`,
    );
  }
  const strides = stridesOf(x.shape);
  const parts = x.shape.map((size, axis) => partOf(ranges[axis] ?? {}, size));
  return sliceOp([x], {
    shape: parts.map((part) => part.count),
    offset: parts.reduce((sum, part, axis) => sum + (part.count > 0 ? part.first : 0) * strides[axis]!, 0),
    strides: parts.map((part, axis) => part.step * strides[axis]!),
  }) as Tensor<D>;
}

/** First index, number of indices and step of a range, by Python's rules. */
function partOf(range: SliceRange, size: number): { first: number; count: number; step: number } {
  checkOptions("compute slice()", range, ["start", "stop", "step"]);
  const { start, stop, step = 1 } = range;
  for (const n of [start ?? 0, stop ?? 0, step]) {
    if (!Number.isInteger(n)) throw new RangeError(`Cannot compute slice() as bounds must be integers: got ${n}`);
  }
  if (step === 0) throw new RangeError("Cannot compute slice() as step must not be 0: got 0");
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const within = (n: number) => Math.min(high, Math.max(low, n < 0 ? n + size : n));
  const first = start === undefined ? (step > 0 ? low : high) : within(start);
  const end = stop === undefined ? (step > 0 ? high : low) : within(stop);
  return { first, count: Math.max(0, Math.ceil((end - first) / step)), step };
}
