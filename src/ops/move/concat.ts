import { defineOp } from "../../autograd/mod.ts";
import { type DType, sameShape, type Shape, Tensor } from "../../tensor/mod.ts";
import { normalizeDim, stridesOf } from "../../tensor/internal.ts";
import { unsqueeze } from "./reshape.ts";
import { checkWords } from "../shared/check.ts";
import { copyStrided, gatherStrided } from "./strided.ts";

const concatOp = defineOp<readonly Tensor[], { readonly dim: number }, DType>({
  name: "concat",
  forward(_context, inputs, { dim }) {
    const [first] = inputs as [Tensor];
    const sizes = inputs.map((x) => x.shape[dim]!);
    const shape = first.shape.map((n, axis) => axis === dim ? sizes.reduce((a, b) => a + b) : n);
    const y = new Tensor(first.device, shape, { dtype: first.dtype });
    inputs.forEach((x, i) =>
      copyStrided("concat", { tensor: x }, { tensor: y, ...part(shape, dim, sizes, i) }, x.shape)
    );
    return y;
  },
  backward({ shapes, needsGrad }, grad, { dim }) {
    const sizes = shapes.map((shape) => shape[dim]!);
    return shapes.map((shape, i) =>
      needsGrad[i] ? gatherStrided("concat grad", { tensor: grad, ...part(grad.shape, dim, sizes, i) }, shape) : null
    );
  },
});

/** Locates the i-th input in the output. */
function part(shape: Shape, dim: number, sizes: readonly number[], i: number): { offset: number; strides: number[] } {
  const strides = stridesOf(shape);
  return { offset: sizes.slice(0, i).reduce((a, b) => a + b, 0) * strides[dim]!, strides };
}

/**
 * Joins arrays along an axis.
 *
 * @param tensors One or more, of one dtype (f32, i32 or u32), equal in shape except along `dim`.
 * @param dim The axis, negative ones counted from the end; 0 by default.
 * @throws {TypeError} If there are none, or shapes or dtypes do not agree.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { concat, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = concat([tensor([[1], [2]]), tensor([[3, 4], [5, 6]])], 1);
 * assertEquals(await y.data(), new Float32Array([1, 3, 4, 2, 5, 6]));
 * ```
 */
export function concat<D extends DType>(tensors: readonly Tensor<D>[], dim = 0): Tensor<D> {
  const first = firstOf("concat", tensors);
  const axis = normalizeDim(dim, first.rank, "concat");
  for (const x of tensors) {
    const like = first.shape.map((n, i) => i === axis ? x.shape[i]! : n);
    if (!sameShape(like, x.shape)) {
      throw new TypeError(
        `Cannot compute concat() as the shapes must agree except along dim ${dim}: got [${first.shape}] and [${x.shape}]`,
      );
    }
  }
  return concatOp(tensors, { dim: axis }) as Tensor<D>;
}

/**
 * Joins arrays of one shape along a new axis.
 *
 * @param tensors One or more, of one shape and one dtype (f32, i32 or u32).
 * @param dim Where the new axis is to be, −1 for the end; 0 by default.
 * @throws {TypeError} If there are none, or shapes or dtypes do not agree.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, stack } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(stack([ones([3]), ones([3])]).shape, [2, 3]);
 * assertEquals(stack([ones([3]), ones([3])], 1).shape, [3, 2]);
 * ```
 */
export function stack<D extends DType>(tensors: readonly Tensor<D>[], dim = 0): Tensor<D> {
  const first = firstOf("stack", tensors);
  const axis = normalizeDim(dim, first.rank + 1, "stack");
  for (const x of tensors) {
    if (!sameShape(first.shape, x.shape)) {
      throw new TypeError(`Cannot compute stack() as the shapes must agree: got [${first.shape}] and [${x.shape}]`);
    }
  }
  return concat(tensors.map((x) => unsqueeze(x, axis)), axis);
}

function firstOf(op: string, tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new TypeError(`Cannot compute ${op}() as there must be at least one tensor: got none`);
  checkWords(op, ...tensors);
  for (const { dtype } of tensors) {
    if (dtype !== first.dtype) {
      throw new TypeError(`Cannot compute ${op}() as the dtypes must agree: got ${first.dtype} and ${dtype}`);
    }
  }
  return first;
}
