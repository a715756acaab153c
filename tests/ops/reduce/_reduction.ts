// Reductions by float64 loops, to compare with.
import { type Shape, sizeOf } from "../../../src/tensor/mod.ts";
import { stridesOf } from "../../../src/tensor/internal.ts";

/** Collects the elements along `dims` for each place of the other axes, in row-major order, and applies `fn` to them. */
export function reduction(
  values: ArrayLike<number>,
  shape: Shape,
  dims: readonly number[],
  fn: (values: Float64Array) => number,
): Float64Array {
  const strides = stridesOf(shape);
  const kept = shape.map((_, axis) => axis).filter((axis) => !dims.includes(axis));
  const offsets = (axes: readonly number[]) => {
    let list = [0];
    for (const axis of axes) {
      list = list.flatMap((base) => Array.from({ length: shape[axis]! }, (_, i) => base + i * strides[axis]!));
    }
    return list;
  };
  const inner = offsets([...dims].sort((a, b) => a - b));
  const outer = offsets(kept);
  const group = new Float64Array(inner.length);
  const result = new Float64Array(sizeOf(kept.map((axis) => shape[axis]!)));
  outer.forEach((base, k) => {
    inner.forEach((offset, i) => group[i] = values[base + offset]!);
    result[k] = fn(group);
  });
  return result;
}
