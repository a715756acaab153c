import { type Shape, sizeOf } from "../../tensor/mod.ts";

/** Sizes before, along and after an axis: how shaders see an array that they walk along it. */
export function aroundDim(shape: Shape, dim: number): [outer: number, rows: number, columns: number] {
  return [sizeOf(shape.slice(0, dim)), shape[dim]!, sizeOf(shape.slice(dim + 1))];
}
