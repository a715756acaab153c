import { Device } from "../device/mod.ts";
import { checkHalf, checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode autocast}. */
export interface AutocastOptions {
  /**
   * Whether precision is reduced; false runs the body in the precision of its tensors, also inside another `autocast`.
   * True by default.
   */
  enabled?: boolean;
  /** Device, which must compute with f16; the default one by default. */
  device?: Device;
}

let enabled = false;

/** Tells whether the caller is inside {@linkcode autocast}. */
export function isAutocast(): boolean {
  return enabled;
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
 * @param body What to run; for all of it to be inside it must not be asynchronous.
 * @returns What `body` returns.
 * @throws {DeviceError} If the device lacks the feature `shader-f16`.
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
  checkOptions("run autocast()", options, ["enabled", "device"]);
  const wanted = options.enabled ?? true;
  if (wanted) checkHalf(options.device ?? Device.current);
  const before = enabled;
  enabled = wanted;
  try {
    return body();
  } finally {
    enabled = before;
  }
}

/** Runs `body` in the precision of its tensors, whatever is around it: `autocast(body, { enabled: false })`. */
export function fullPrecision<T>(body: () => T): T {
  return autocast(body, { enabled: false });
}
