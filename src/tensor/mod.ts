/**
 * Arrays on the device: how they are made, read, filled and freed.
 *
 * @module
 */
export { copyInto } from "./copy.ts";
export {
  arange,
  type CreateOptions,
  eye,
  fill,
  full,
  type Nested,
  ones,
  tensor,
  type TensorFromOptions,
  zeros,
} from "./create.ts";
export type { DType, DTypeArrays } from "./dtype.ts";
export type { FloatDType } from "./half.ts";
export { type Key, key, shuffled } from "./philox.ts";
export { normal, permutation, type RandomOptions, uniform } from "./random.ts";
export { keep, type Releasable, Scope, scope, tidy } from "./scope.ts";
export { broadcastShapes, sameShape, type Shape, sizeOf } from "./shape.ts";
export { type Link, Tensor, type TensorOptions } from "./tensor.ts";
