// Rearrangements by plain loops, to compare with.
import { type Shape, sizeOf } from "../../../src/tensor/mod.ts";
import { stridesOf } from "../../../src/tensor/internal.ts";

/** Fills an array of `shape` by a function of the index. */
export function arrange(shape: Shape, element: (...index: number[]) => number): Float32Array<ArrayBuffer> {
  const strides = stridesOf(shape);
  return Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => element(...shape.map((size, axis) => Math.floor(i / strides[axis]!) % size)),
  );
}

/** Reads an element of a contiguous array. */
export function at(values: ArrayLike<number>, shape: Shape, index: readonly number[]): number {
  const strides = stridesOf(shape);
  return values[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
}
