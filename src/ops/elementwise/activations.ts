import type { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { defineUnary, NONE } from "./unary.ts";

const hardswishOp = defineUnary("hardswish");
const leakyReluOp = defineUnary("leakyRelu");
const reluOp = defineUnary("relu");
const sigmoidOp = defineUnary("sigmoid");
const siluOp = defineUnary("silu");
const softplusOp = defineUnary("softplus");
const tanhOp = defineUnary("tanh");

/**
 * Computes `x · min(max(x + 3, 0), 6) / 6`, MobileNetV3's piecewise form of `silu`, as PyTorch's `hardswish`; the gradient
 * is 0 at −3 and 1 at 3, as PyTorch 2's.
 *
 * @param x Any shape, f32; NaN stays NaN, and −∞ gives NaN, as in PyTorch.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { hardswish } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await hardswish(tensor([-4, 0, 3])).data(), new Float32Array([0, 0, 3]));
 * ```
 *
 * @see Howard et al., "Searching for MobileNetV3", arXiv:1905.02244.
 */
export function hardswish(x: Tensor): Tensor<"f32"> {
  return hardswishOp([x], NONE);
}

/**
 * Computes `x` where it is positive and `negativeSlope · x` elsewhere, as PyTorch's `leaky_relu`; the gradient at 0 is
 * `negativeSlope`.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @param options `negativeSlope` ≥ 0; 0.01 by default.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32, or the slope is no number.
 * @throws {RangeError} If the slope is negative or not finite.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { leakyRelu } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = leakyRelu(tensor([-2, 0, 3]), { negativeSlope: 0.5 });
 * assertEquals(await y.data(), new Float32Array([-1, 0, 3]));
 * ```
 */
export function leakyRelu(x: Tensor, options: { negativeSlope?: number } = {}): Tensor<"f32"> {
  checkOptions("compute leakyRelu()", options, ["negativeSlope"]);
  const { negativeSlope = 0.01 } = options;
  checkSetting("compute leakyRelu()", "negativeSlope", negativeSlope, { orZero: true });
  return leakyReluOp([x], { a: negativeSlope, b: 0 });
}

/**
 * Computes `max(x, 0)`; the gradient at 0 is 0, as PyTorch's.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, relu, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await relu(tensor([-1, 0, 2])).data(), new Float32Array([0, 0, 2]));
 * ```
 */
export function relu(x: Tensor): Tensor<"f32"> {
  return reluOp([x], NONE);
}

/**
 * Computes the logistic function `1 / (1 + e⁻ˣ)`.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, sigmoid, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await sigmoid(tensor([0, 100])).data(), new Float32Array([0.5, 1]));
 * ```
 */
export function sigmoid(x: Tensor): Tensor<"f32"> {
  return sigmoidOp([x], NONE);
}

/**
 * The sigmoid-weighted linear unit (SiLU, also called swish): `x / (1 + e⁻ˣ)`, as PyTorch's `silu`.
 *
 * @param x Any shape, f32; NaN stays NaN, and −∞ gives NaN, as in PyTorch.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, silu, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await silu(tensor([0, 100])).data(), new Float32Array([0, 100]));
 * ```
 */
export function silu(x: Tensor): Tensor<"f32"> {
  return siluOp([x], NONE);
}

/**
 * Computes `log(1 + exp(beta · x)) / beta`, a smooth `relu`, as PyTorch's `softplus`; it is exact everywhere, so that there
 * is no `threshold` past which it is x.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @param options `beta` > 0; 1 by default.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32, or beta is no number.
 * @throws {RangeError} If beta is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { softplus } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await softplus(tensor([-100, 0, 100])).data(), [0, Math.LN2, 100]);
 * ```
 */
export function softplus(x: Tensor, options: { beta?: number } = {}): Tensor<"f32"> {
  checkOptions("compute softplus()", options, ["beta"]);
  const { beta = 1 } = options;
  checkSetting("compute softplus()", "beta", beta);
  return softplusOp([x], { a: beta, b: 0 });
}

/**
 * The hyperbolic tangent.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tanh, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await tanh(tensor([0, 100])).data(), new Float32Array([0, 1]));
 * ```
 */
export function tanh(x: Tensor): Tensor<"f32"> {
  return tanhOp([x], NONE);
}
