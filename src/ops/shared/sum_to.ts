import { sameShape, type Shape, type Tensor } from "../../tensor/mod.ts";
import { castTo } from "../../tensor/internal.ts";
import { reduce } from "./reduce.ts";

/** Sums what broadcasting repeated: from the shape of a result back to that of an operand. */
export function sumTo(grad: Tensor, shape: Shape): Tensor {
  if (sameShape(grad.shape, shape)) return grad.alias();
  const missing = grad.rank - shape.length;
  const dims = grad.shape.map((_, axis) => axis).filter((axis) =>
    axis < missing || (shape[axis - missing] === 1 && grad.shape[axis] !== 1)
  );
  return reduce("sum", grad.dtype === "f16" ? castTo(grad, "f32") : grad, dims).alias(shape);
}
