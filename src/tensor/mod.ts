export { accumulate, sumOf } from "./accumulate.ts";
export { castTo } from "./cast.ts";
export { assign, copyInto } from "./copy.ts";
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
export { bytesOf, type DType, type DTypeArrays } from "./dtype.ts";
export { checkHalf, elementAliases, type FloatDType, floatOf } from "./half.ts";
export { type Key, key, philox, shuffled, uniformNumbers } from "./philox.ts";
export { normal, permutation, type RandomOptions, uniform } from "./random.ts";
export { type Disposable, keep, Scope, scope, tidy } from "./scope.ts";
export {
  broadcastShapes,
  checkShape,
  normalizeDim,
  normalizeDims,
  sameShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "./shape.ts";
export { type Link, Tensor, type TensorOptions } from "./tensor.ts";
