import { defineProgram } from "../../device/mod.ts";
import { unary as code } from "../../shaders/elementwise.ts";
import { lib_flat, lib_nan } from "../../shaders/lib.ts";
import { defineOp } from "../../autograd/mod.ts";
import { type FloatDType, Tensor } from "../../tensor/mod.ts";
import { checkOptions, elementAliases, floatOf } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { type Row, ROWS } from "./_unary_rows.ts";

type Name = keyof typeof ROWS;
type Scalars = { readonly a: number; readonly b: number };

const TYPES = "alias F = vec4f;\nalias U = vec4u;\nalias B = vec4<bool>;";

function programs(name: Name, entryPoint: string) {
  const { value, slope, uses }: Row = ROWS[name];
  const body = `fn value(x: F) -> F { return ${value}; }\nfn slope(x: F) -> F { return ${slope}; }`;
  const used = uses ? [uses] : [];
  const make = (dtype: FloatDType) => {
    const types = elementAliases({ X: dtype });
    return defineProgram({ name, code: [types, lib_flat, lib_nan, TYPES, ...used, body, code], entryPoint });
  };
  return { f32: make("f32"), f16: make("f16") };
}

/** Makes the op of a row. */
export function defineUnary(name: Name): (inputs: [Tensor], scalars: Scalars) => Tensor<"f32"> {
  const forward = programs(name, "forward");
  const backward = programs(name, "backward");
  return defineOp<[Tensor], Scalars>({
    name,
    half: true,
    forward(context, [x], { a, b }) {
      checkFloat(name, x);
      context.save(x);
      return run(forward, x, null, a, b);
    },
    backward: ({ saved: [x] }, grad, { a, b }) => [run(backward, x!, grad, a, b)],
  });
}

function run(forms: ReturnType<typeof programs>, x: Tensor, grad: Tensor | null, a: number, b: number): Tensor {
  const y: Tensor = new Tensor(x.device, x.shape, { dtype: x.dtype });
  const size = Math.ceil(x.size / 4);
  const buffers = { 1: x.storage, 2: y.storage, 3: grad?.storage };
  x.device.dispatch(forms[floatOf(x)], { params: { size, a, b }, buffers, workgroups: x.device.groups(size, 64) });
  return y;
}

/** Scalars of a row that has none. */
export const NONE: Scalars = { a: 0, b: 0 };

const absOp = defineUnary("abs");
const clampOp = defineUnary("clamp");
const expOp = defineUnary("exp");
const logOp = defineUnary("log");
const negOp = defineUnary("neg");
const sqrtOp = defineUnary("sqrt");
const squareOp = defineUnary("square");

/**
 * Computes `|x|`; the gradient is `sign(x)`, 0 at 0.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { abs, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await abs(tensor([-2, 0, 3])).data(), new Float32Array([2, 0, 3]));
 * ```
 */
export function abs(x: Tensor): Tensor<"f32"> {
  return absOp([x], NONE);
}

/**
 * Computes `min(max(x, min), max)`; the gradient is 1 inside the closed interval and 0 outside, as PyTorch's `clamp`.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @param options `min`, `max` or both.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32, or neither bound is given.
 * @throws {RangeError} If `min > max`, or one is NaN.
 *
 * @example Usage
 * ```ts
 * import { clamp, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([-2, 0.5, 3]);
 * assertEquals(await clamp(x, { min: -1, max: 1 }).data(), new Float32Array([-1, 0.5, 1]));
 * ```
 */
export function clamp(x: Tensor, options: { min?: number; max?: number }): Tensor<"f32"> {
  checkOptions("compute clamp()", options, ["min", "max"]);
  const { min = -Infinity, max = Infinity } = options;
  if (options.min === undefined && options.max === undefined) {
    throw new TypeError("Cannot compute clamp() as min or max must be given: got neither");
  }
  if (!(min <= max)) throw new RangeError(`Cannot compute clamp() as min must be <= max: got ${min} and ${max}`);
  return clampOp([x], { a: min, b: max });
}

/**
 * Computes `eˣ`; infinite past 88.7.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, exp, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await exp(tensor([0, -Infinity])).data(), new Float32Array([1, 0]));
 * ```
 */
export function exp(x: Tensor): Tensor<"f32"> {
  return expOp([x], NONE);
}

/**
 * The natural logarithm; −∞ at 0 and NaN below.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, log, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await log(tensor([1, Infinity])).data(), new Float32Array([0, Infinity]));
 * ```
 */
export function log(x: Tensor): Tensor<"f32"> {
  return logOp([x], NONE);
}

/**
 * Computes `−x`.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, neg, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await neg(tensor([1, -2])).data(), new Float32Array([-1, 2]));
 * ```
 */
export function neg(x: Tensor): Tensor<"f32"> {
  return negOp([x], NONE);
}

/**
 * Computes `√x`; NaN below 0. The gradient at 0 is infinite.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, sqrt, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await sqrt(tensor([4, 9])).data(), new Float32Array([2, 3]));
 * ```
 */
export function sqrt(x: Tensor): Tensor<"f32"> {
  return sqrtOp([x], NONE);
}

/**
 * Computes `x²`.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, square, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await square(tensor([-3, 0.5])).data(), new Float32Array([9, 0.25]));
 * ```
 */
export function square(x: Tensor): Tensor<"f32"> {
  return squareOp([x], NONE);
}
