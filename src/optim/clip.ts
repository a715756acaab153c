import { checkOnce } from "./_once.ts";
import { defineProgram, type Device } from "../device/mod.ts";
import { clip_norm as code, clip_norm_total } from "../shaders/optim.ts";
import { copyInto, keep, Tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { type Batch, batches, manyProgram, type ManyShader, type Scaling, scalingPart, type Slot } from "./_many.ts";
import { tensorsOf } from "./_tensors.ts";

/** Settings of {@linkcode clipGradNorm}. */
export interface ClipGradNormOptions {
  /** Scaler of the loss, a `GradScaler`: the norm is that of the gradients divided by its scale. */
  scaler?: Scaling | null;
}

const SHADER = {
  name: "clipGradNorm",
  code,
  scalars: { offset: "u32" },
  extra: [
    { access: "read_write", variable: "partials: array<f32>" },
    { access: "read_write", variable: "norm: array<f32>" },
  ],
  alone: true,
  states: [],
  update: "Step(w * norm[1])",
} as const satisfies ManyShader;

function totalProgram(scaled: boolean) {
  const part = scalingPart(scaled ? 3 : null);
  return defineProgram({ name: "clipGradNorm", code: [clip_norm_total, part], entryPoint: "total" });
}
const TOTAL = totalProgram(false);
const TOTAL_SCALED = totalProgram(true);

/**
 * Scales the gradients of all parameters together so that their norm is at most `maxNorm`: by
 * `min(1, maxNorm / (norm + 1e-6))` with `norm = √(Σ g²)`. It happens on the device, nothing is read back. Gradients
 * whose norm is not finite stay as they are, so that a `GradScaler` still skips the step.
 *
 * @param parameters Those without a gradient are passed over.
 * @param maxNorm > 0.
 * @param options `scaler`.
 * @returns The norm before, f32 `[]`.
 * @throws {TypeError} If no parameter has a gradient, or one comes twice.
 * @throws {RangeError} If `maxNorm` is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, requireGrad, tensor } from "@decoupled/uniformity";
 * import { clipGradNorm } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([1, 1]));
 * w.grad = tensor([3, 4]);
 * const norm = clipGradNorm([w], 1);
 * assertAlmostEquals(await norm.item(), 5, 1e-6);
 * assertAlmostEquals((await w.grad.data())[1]!, 0.8, 1e-6);
 * ```
 *
 * @see `torch.nn.utils.clip_grad_norm_`, norm type 2.
 */
export function clipGradNorm(
  parameters: Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor<"f32"> {
  checkOptions("clipGradNorm()", options, ["scaler"]);
  checkSetting("clipGradNorm()", "maxNorm", maxNorm);
  const all = tensorsOf("clipGradNorm()", "parameters", parameters);
  checkOnce("clipGradNorm() of", all);
  const slots = all.flatMap((parameter) => slotOf(parameter) ?? []);
  if (slots.length === 0) {
    throw new TypeError("Cannot clipGradNorm() as no parameter has a gradient: call backward() first");
  }
  const { device } = slots[0]!.weight;
  const { scaler = null } = options;
  return device.run("clipGradNorm", [], () => clip(device, batches(device, slots, SHADER), maxNorm, scaler));
}

/** The gradient of a parameter, as its own: one that something else holds too is copied first. */
function slotOf(parameter: Tensor): Slot | null {
  let { grad } = parameter;
  if (!grad || grad.disposed) return null;
  if (grad.storage.refs > 1) {
    const own: Tensor = keep(new Tensor(grad.device, grad.shape));
    copyInto(own, grad);
    grad.dispose();
    parameter.grad = grad = own;
  }
  return { weight: grad, grad, states: [] };
}

function clip(device: Device, all: readonly Batch[], most: number, scaler: Scaling | null): Tensor<"f32"> {
  const count = all.reduce((sum, { total }) => sum + total, 0);
  using partials = new Tensor(device, [count]);
  using norm = new Tensor(device, [2]);
  const bound = { 1: partials.storage, 2: norm.storage };
  const each = (entryPoint: string) => {
    let offset = 0;
    for (const { slots, params, buffers, workgroups, total } of all) {
      const program = manyProgram(device, SHADER, entryPoint, slots.length, false);
      device.dispatch(program, { params: { offset, ...params }, buffers: { ...buffers, ...bound }, workgroups });
      offset += total;
    }
  };
  each("partial_norms");
  const buffers = scaler ? { ...bound, 3: scaler.storage } : bound;
  device.dispatch(scaler ? TOTAL_SCALED : TOTAL, { params: { count, most }, buffers, workgroups: [1, 1, 1] });
  each("step");
  return new Tensor(device, [], { dtype: "f32", storage: norm.storage.retain() });
}
