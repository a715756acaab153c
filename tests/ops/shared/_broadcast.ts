// NumPy broadcasting by float64 loops, to compare with.
import { broadcastShapes, type Shape, sizeOf } from "../../../src/tensor/mod.ts";
import { stridesOf } from "../../../src/tensor/internal.ts";

/** An array in float64. */
export interface Reference {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
}

/** Applies `fn` to arrays that broadcast, element by element. */
export function broadcast(arrays: readonly Reference[], fn: (...values: number[]) => number): Float64Array {
  const shape = arrays.map((array) => array.shape).reduce((a, b) => broadcastShapes(a, b, "test"));
  const result = new Float64Array(sizeOf(shape));
  const strides = stridesOf(shape);
  for (let i = 0; i < result.length; i++) {
    const index = shape.map((size, axis) => Math.floor(i / strides[axis]!) % size);
    result[i] = fn(...arrays.map((array) => at(array, index)));
  }
  return result;
}

function at({ shape, values }: Reference, index: readonly number[]): number {
  const strides = stridesOf(shape);
  const missing = index.length - shape.length;
  let offset = 0;
  shape.forEach((size, axis) => offset += size === 1 ? 0 : index[axis + missing]! * strides[axis]!);
  return values[offset]!;
}
