import { defineOp } from "../../autograd/mod.ts";
import { type FloatDType, type Shape, sizeOf, Tensor, zeros } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { packed } from "./layout.ts";
import { layerInputs, precisionOf, sumsOf } from "./precision.ts";
import { padded, product, resizeRows } from "./product.ts";
import { sumMiddleInto } from "./sum_middle.ts";
import { checkOptions } from "../../tensor/internal.ts";

const A_TRANSPOSED = packed({ transposeA: true });

const B_TRANSPOSED = packed({ transposeB: true });

const linearOp = defineOp<readonly Tensor[], null>({
  name: "linear",
  half: true,
  forward(context, inputs) {
    const dtype = precisionOf(inputs);
    const [x, weight, bias] = layerInputs(inputs, dtype);
    context.save(x, weight);
    const [inner, cols] = weight.shape as [number, number];
    const shape = [...x.shape.slice(0, -1), cols];
    if (sizeOf(shape) === 0) return zeros(shape, { device: x.device, dtype });
    const sizes = { rows: sizeOf(shape) / cols, cols, inner };
    return product({ a: x, b: weight, sizes, epilogue: { bias, dtype }, sums: sumsOf(x, weight) }).alias(shape);
  },
  backward({ needsGrad, saved, shapes, dtypes }, grad) {
    const [x, weight] = saved as [Tensor, Tensor];
    const { device } = x;
    const [xType, weightType] = dtypes as [FloatDType, FloatDType];
    const [inner, cols] = weight.shape as [number, number];
    const rows = sizeOf(grad.shape) / Math.max(1, cols);
    const empty = rows === 0 || cols === 0;
    const gradX = (shape: Shape) => {
      const sizes = { rows, cols: inner, inner: cols };
      const how = { layout: B_TRANSPOSED, epilogue: { dtype: xType }, sums: sumsOf(grad, weight) };
      return product({ a: grad, b: weight, sizes, ...how }).alias(shape);
    };
    const gradWeight = (shape: Shape) => {
      const sizes = { rows: inner, cols, inner: rows };
      const how = { layout: A_TRANSPOSED, epilogue: { dtype: weightType }, sums: sumsOf(x, grad) };
      return product({ a: x, b: grad, sizes, ...how }).alias(shape);
    };
    return [gradX, gradWeight, () => sumOfRows(grad, cols)].slice(0, shapes.length).map((gradOf, i) => {
      if (!needsGrad[i]) return null;
      return empty ? zeros(shapes[i]!, { device }) : gradOf(shapes[i]!);
    });
  },
});

/** Sum over all axes but the last: the gradient of a bias, `[cols]`, f32. */
export function sumOfRows(grad: Tensor, cols: number): Tensor {
  const x = resizeRows(grad, padded(cols));
  const sum = new Tensor(grad.device, [padded(cols)]);
  sumMiddleInto(x, sum, { outer: 1, length: x.size / padded(cols), inner: padded(cols) });
  return resizeRows(sum, cols, [cols]);
}

/**
 * Affine map of the last axis: `y = x · weight (+ bias)`, as `torch.nn.functional.linear` with the weight transposed.
 *
 * Sums are kept in f32; inside `autocast`, or where x or weight is f16, x is read as f16 and y is f16.
 *
 * @param x Shape `[…, in]`, f32 or f16.
 * @param weight Shape `[in, out]`, f32 or f16.
 * @param options `bias`: shape `[out]`, f32.
 * @returns Shape `[…, out]`.
 * @throws {TypeError} If a tensor is not f32 or f16, or the shapes do not match.
 *
 * @example Usage
 * ```ts
 * import { Device, linear, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = linear(tensor([[1, 2]]), tensor([[1, 0, 3], [0, 1, 4]]), { bias: tensor([10, 20, 30]) });
 * assertEquals(await y.data(), new Float32Array([11, 22, 41]));
 * ```
 */
export function linear(x: Tensor, weight: Tensor, options: { bias?: Tensor } = {}): Tensor<"f32"> {
  checkOptions("compute linear()", options, ["bias"]);
  const { bias } = options;
  checkFloat("linear", x, weight, ...(bias ? [bias] : []));
  if (x.rank < 1 || weight.rank !== 2 || x.shape.at(-1) !== weight.shape[0] || weight.shape[0] === 0) {
    throw new TypeError(
      "Cannot compute linear() as x must be […, in] and weight [in, out] with in >= 1: " +
        `got x [${x.shape}] and weight [${weight.shape}]`,
    );
  }
  if (bias && (bias.rank !== 1 || bias.shape[0] !== weight.shape[1])) {
    throw new TypeError(
      `Cannot compute linear() as bias must be [out]: got bias [${bias.shape}] and weight [${weight.shape}]`,
    );
  }
  return linearOp(bias ? [x, weight, bias] : [x, weight], null);
}
