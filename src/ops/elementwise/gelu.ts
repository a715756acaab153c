import type { Tensor } from "../../tensor/mod.ts";
import { defineUnary, NONE } from "./unary.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Settings of {@linkcode gelu}. */
export interface GeluOptions {
  /**
   * `"none"` (the default): the exact form; `"tanh"`: PyTorch's `approximate="tanh"`, as GPT-2 has it; `"sigmoid"`:
   * `x / (1 + exp(−1.702 x))`, CLIP's QuickGELU.
   */
  approximate?: "none" | "tanh" | "sigmoid";
}

const erfOp = defineUnary("erf");
const FORMS = { none: defineUnary("gelu"), tanh: defineUnary("geluTanh"), sigmoid: defineUnary("geluSigmoid") };

/**
 * The error function, `2/√π ∫₀ˣ exp(−t²) dt`, within 2.4e-7.
 *
 * @param x Any shape, f32; NaN stays NaN.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { erf } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await erf(tensor([0, 0.5, 9])).data(), [0, 0.5204998778, 1]);
 * ```
 */
export function erf(x: Tensor): Tensor<"f32"> {
  return erfOp([x], NONE);
}

/**
 * The Gaussian error linear unit, `x Φ(x)` with the normal distribution Φ, as PyTorch's `gelu`.
 *
 * @param x Any shape, f32; NaN stays NaN, and −∞ gives NaN, as in PyTorch.
 * @param options `approximate`: another form.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 * @throws {RangeError} If `approximate` is another one.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { gelu } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await gelu(tensor([-1, 0, 1])).data(), [-0.1586552539, 0, 0.8413447461]);
 * ```
 *
 * @see Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor<"f32"> {
  checkOptions("compute gelu()", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (!Object.hasOwn(FORMS, approximate)) {
    throw new RangeError(
      `Cannot compute gelu() as approximate must be "none", "tanh" or "sigmoid": got "${approximate}"`,
    );
  }
  return FORMS[approximate]([x], NONE);
}
