import { defineOp } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { normalizeDim, normalizeDims } from "../../tensor/internal.ts";
import { checkFloat, checkReduction } from "../shared/check.ts";
import { elementwise } from "../elementwise/elementwise.ts";
import { reduce, reducedShape } from "../shared/reduce.ts";
import type { ReduceOptions } from "./sum.ts";

// The largest element m is subtracted first, so that nothing overflows. Where it is infinite logSumExp subtracts nothing;
// the others are NaN along the whole slice then, as PyTorch's.
const SHIFT = "select(m, F(0.0), abs(m) > F(3.4028234663852886e38))";
const SHIFT_OR_NAN = "select(m, F(0.0), m < F(-3.4028234663852886e38))";
const EXP_OR_NAN = { name: "exp shifted", args: ["x", "m"], value: `exp_or_nan(x - ${SHIFT_OR_NAN})` };
const EXP = { name: "exp shifted", args: ["x", "m"], value: `exp_or_nan(x - ${SHIFT})` };
const LOG_SUM = { name: "logSumExp", args: ["s", "m"], value: `log_or_nan(s) + ${SHIFT}` };
const LOG_SUM_GRAD = { name: "logSumExp grad", args: ["g", "x", "y"], value: "g * exp_or_nan(x - y)" };
const DIVIDE = { name: "softmax", args: ["e", "s"], value: "e / s" };
const PRODUCT = { name: "softmax grad product", args: ["g", "y"], value: "g * y" };
const SOFTMAX_GRAD = { name: "softmax grad", args: ["p", "y", "t"], value: "p - y * t" };
const LOG_SOFTMAX = { name: "logSoftmax", args: ["x", "m", "s"], value: `(x - ${SHIFT_OR_NAN}) - log_or_nan(s)` };
const LOG_SOFTMAX_GRAD = { name: "logSoftmax grad", args: ["g", "y", "t"], value: "g - exp_or_nan(y) * t" };

interface Attrs {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
}

/** Computes, per slice, the largest element m and the sum of `e = exp(x − m)`. */
function stages(x: Tensor, dims: readonly number[], exp = EXP_OR_NAN): { m: Tensor; e: Tensor; s: Tensor } {
  const m = reduce("max", x, dims, { keepDim: true });
  const e = elementwise(exp, x.device, [x, m], x.shape);
  return { m, e, s: reduce("sum", e, dims, { keepDim: true }) };
}

const logSumExpOp = defineOp<[Tensor], Attrs>({
  name: "logSumExp",
  forward(context, [x], { dims, keepDim }) {
    const { m, s } = stages(x, dims, EXP);
    const y = elementwise(LOG_SUM, x.device, [s, m], s.shape);
    context.save(x, y);
    return y.alias(reducedShape(x.shape, dims, keepDim));
  },
  backward({ saved: [x, y] }, grad) {
    return [elementwise(LOG_SUM_GRAD, grad.device, [grad.alias(y!.shape), x!, y!], x!.shape)];
  },
});

const softmaxOp = defineOp<[Tensor], { readonly dim: number }>({
  name: "softmax",
  forward(context, [x], { dim }) {
    const { e, s } = stages(x, [dim]);
    const y = elementwise(DIVIDE, x.device, [e, s], x.shape);
    context.save(y);
    return y;
  },
  backward({ saved: [y] }, grad, { dim }) {
    const product = elementwise(PRODUCT, grad.device, [grad, y!], grad.shape);
    const total = reduce("sum", product, [dim], { keepDim: true });
    return [elementwise(SOFTMAX_GRAD, grad.device, [product, y!, total], grad.shape)];
  },
});

const logSoftmaxOp = defineOp<[Tensor], { readonly dim: number }>({
  name: "logSoftmax",
  forward(context, [x], { dim }) {
    const { m, s } = stages(x, [dim]);
    const y = elementwise(LOG_SOFTMAX, x.device, [x, m, s], x.shape);
    context.save(y);
    return y;
  },
  backward({ saved: [y] }, grad, { dim }) {
    const total = reduce("sum", grad, [dim], { keepDim: true });
    return [elementwise(LOG_SOFTMAX_GRAD, grad.device, [grad, y!, total], grad.shape)];
  },
});

/**
 * Computes `log Σ eˣ` over some or all axes, without overflow.
 *
 * @param x Any shape, f32, with at least one element along the axes.
 * @param options `dim` and `keepDim`.
 * @returns The shape of the axes that are left.
 * @throws {TypeError} If the dtype is not f32, or there is nothing to sum.
 * @throws {RangeError} If a dim is out of range or given twice.
 *
 * @example Usage
 * ```ts
 * import { Device, logSumExp, tensor } from "@decoupled/uniformity";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertAlmostEquals(await logSumExp(tensor([1000, 1000])).item(), 1000 + Math.log(2), 1e-4);
 * ```
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor<"f32"> {
  checkReduction("logSumExp", options);
  checkFloat("logSumExp", x);
  const dims = normalizeDims(options.dim, x.rank, "logSumExp");
  checkSomething("logSumExp", x, dims);
  return logSumExpOp([x], { dims, keepDim: options.keepDim ?? false });
}

/**
 * Computes `eˣ / Σ eˣ` along an axis, without overflow.
 *
 * @param x Any shape of rank ≥ 1, f32, with at least one element along the axis.
 * @param dim The axis, negative ones counted from the end; the last by default.
 * @returns The shape of `x`; sums to 1 along the axis. All NaN along it where a NaN or +∞ is there, or nothing but −∞.
 * @throws {TypeError} If the dtype is not f32, or there is nothing to sum.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, softmax, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await softmax(tensor([[5, 5], [0, -Infinity]])).data(), new Float32Array([0.5, 0.5, 1, 0]));
 * ```
 */
export function softmax(x: Tensor, dim = -1): Tensor<"f32"> {
  checkFloat("softmax", x);
  const axis = normalizeDim(dim, x.rank, "softmax");
  checkSomething("softmax", x, [axis]);
  return softmaxOp([x], { dim: axis });
}

/**
 * Computes `log softmax(x)` along an axis, exact also where the softmax is near 0 or 1; else as {@linkcode softmax}.
 *
 * @example Usage
 * ```ts
 * import { Device, logSoftmax, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await logSoftmax(tensor([0, -1000])).data(), new Float32Array([0, -1000]));
 * ```
 */
export function logSoftmax(x: Tensor, dim = -1): Tensor<"f32"> {
  checkFloat("logSoftmax", x);
  const axis = normalizeDim(dim, x.rank, "logSoftmax");
  checkSomething("logSoftmax", x, [axis]);
  return logSoftmaxOp([x], { dim: axis });
}

function checkSomething(op: string, x: Tensor, dims: readonly number[]): void {
  if (dims.some((dim) => x.shape[dim] === 0)) {
    throw new TypeError(`Cannot compute ${op}() as there must be something to sum: got x [${x.shape}] along [${dims}]`);
  }
}
