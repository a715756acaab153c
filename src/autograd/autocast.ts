import { Device } from "../device/mod.ts";
import type { FloatDType } from "../tensor/mod.ts";
import { checkHalf, checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode autocast}. */
export interface AutocastOptions {
  /**
   * Whether precision is reduced; false runs the body in the precision of its tensors, also inside another `autocast`.
   * True by default.
   */
  enabled?: boolean;
  /**
   * Precision of the sums of products and convolutions. `"f32"`, the default. `"f16"` allows sums of 8 products in f16, which
   * are then added in f32, in the gradients too: faster where a GPU multiplies and adds two f16 at once, and coarser. Where
   * that is no gain, as on CPU adapters, sums stay in f32.
   */
  sums?: FloatDType;
  /** Device, which must compute with f16; the default one by default. */
  device?: Device;
}

/** Precision of all that runs at the moment. */
interface Precision {
  readonly enabled: boolean;
  readonly sums: FloatDType;
}

let current: Precision = { enabled: false, sums: "f32" };

/** Tells whether the caller is inside {@linkcode autocast}. */
export function isAutocast(): boolean {
  return current.enabled;
}

/** The precision in which a few terms of a product may be summed: f16 where {@linkcode autocast} was told so. */
export function autocastSums(): FloatDType {
  return current.sums;
}

function within<T>(precision: Precision, body: () => T): T {
  const before = current;
  current = precision;
  try {
    return body();
  } finally {
    current = before;
  }
}

/** Runs `body`, which belongs to what ran before as a gradient does, with the precision of sums that held then. */
export function withSums<T>(sums: FloatDType, body: () => T): T {
  return sums === current.sums ? body() : within({ ...current, sums }, body);
}

/**
 * Runs `body` in mixed precision, as PyTorch's `torch.autocast`: the ops that gain from it read activations in half
 * precision (f16) and give f16, sums stay in f32, and what needs the range or precision of f32 keeps it. Parameters and
 * their gradients stay f32, and unlike PyTorch's they are read as f32 too: WebGPU multiplies in f32 anyway, and f16
 * copies of them would take memory and a pass each.
 *
 * | op | inside `autocast` | with f16 inputs anywhere |
 * | --- | --- | --- |
 * | `conv2d`, `convTranspose2d`, `linear` | read f32 images and features as f16, weights as they are; give f16, add in f32 | the same |
 * | `matmul` | reads f32 operands but parameters as f16, gives f16, adds in f32 | the same |
 * | `batchNorm`, `layerNorm` | | f16 in and out; statistics, weight and bias in f32 |
 * | `attention`, `selfAttention`, `dropout`, `stochasticDepth` | | give f16, add in f32 |
 * | `relu` and the other ops of one operand; `maxPool2d`, `avgPool2d`, `globalAvgPool` | | give f16, compute in f32 |
 * | `add`, `sub`, `mul`, `div`, … of two operands | | give f16 where all arrays are f16, else f32 |
 * | `reshape`, `squeeze`, `unsqueeze`, `detach` | | keep the dtype |
 * | all others: losses, kernels, softmax, reductions, indexing, … | | read f16 as f32, give f32 |
 *
 * A gradient has the dtype of its tensor. In f16 gradients below 6e-8 vanish: scale the loss with `GradScaler`.
 *
 * With `sums: "f16"`, as with PyTorch's `allow_fp16_accumulation`, `matmul`, `linear` and convolutions may sum 8 products
 * at a time in f16. The error of a sum of n products is then at most about `(10 u + n / 8 · 2⁻²⁴) Σ |aᵢ bᵢ|` with
 * u = 2⁻¹¹, and 2⁻²⁵ for each product below 2⁻¹⁴, against `n 2⁻²⁴ Σ |aᵢ bᵢ|` before; parameters are rounded to f16 as they
 * are read. 8 products that sum to more than 65,504 become Inf, which `GradScaler` takes for an overflow. A device that
 * rounds a product before it adds it, or that has no f16 below 2⁻¹⁴, may double the 10 u, or lose such products.
 * Convolutions of 3 × 3 windows by Winograd's transforms then keep these in f16 too: 13 u in place of 10 u, of the
 * transforms' absolute values carried back. On random images that is some 5 u `Σ |aᵢ bᵢ|` at most, 0.2 % of the output on
 * average. Images above about 1,300 and gradients above about 290 may become Inf in them.
 *
 * @param body What to run; for all of it to be inside it must not be asynchronous.
 * @returns What `body` returns.
 * @throws {DeviceError} If the device lacks the feature `shader-f16`.
 * @throws {RangeError} If `sums` is neither `"f32"` nor `"f16"`.
 *
 * @example Usage
 * ```ts
 * import { autocast, backward, Device, mean, requireGrad, square, tensor, matmul } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([[1, 2], [3, 4]]));
 * const y = autocast(() => matmul(tensor([[1, 1]]), w));
 * assertEquals(y.dtype, "f16");
 * backward(mean(square(y))); // square gives f16, mean f32
 * assertEquals(w.grad!.dtype, "f32");
 * ```
 *
 * @see Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740; PyTorch's "Autocast Op Reference".
 */
export function autocast<T>(body: () => T, options: AutocastOptions = {}): T {
  checkOptions("run autocast()", options, ["enabled", "sums", "device"]);
  const { enabled = true, sums = "f32" } = options;
  if (sums !== "f32" && sums !== "f16") {
    throw new RangeError(`Cannot run autocast() as sums must be "f32" or "f16": got "${sums}"`);
  }
  if (enabled) checkHalf(options.device ?? Device.current);
  return within({ enabled, sums: enabled ? sums : "f32" }, body);
}

/** Runs `body` in the precision of its tensors, whatever is around it: `autocast(body, { enabled: false })`. */
export function fullPrecision<T>(body: () => T): T {
  return autocast(body, { enabled: false });
}
