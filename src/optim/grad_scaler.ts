import { answerNames } from "../checks/internal.ts";
import { defineProgram, Device } from "../device/mod.ts";
import { grad_scale as code, grad_scale_adjust } from "../shaders/optim.ts";
import { mul } from "../ops/mod.ts";
import { keep, Tensor, tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { batches, manyProgram, type ManyShader, type Slot } from "./_many.ts";

/** Settings of a {@linkcode GradScaler}; the defaults are PyTorch's. */
export interface GradScalerOptions {
  /** Scale at the start, > 0; 65,536 by default. */
  initScale?: number;
  /** Factor of the scale after `growthInterval` good steps, ≥ 1; 2 by default. */
  growthFactor?: number;
  /** Factor of the scale after a step that was skipped, in (0, 1]; 0.5 by default. */
  backoffFactor?: number;
  /** Good steps in a row before the scale grows, ≥ 1; 2,000 by default. */
  growthInterval?: number;
  /** Device; the default one by default. */
  device?: Device;
}

/** State of a {@linkcode GradScaler}. */
export interface GradScalerState {
  /** Scale of the next loss. */
  scale: number;
  /** Good steps since the scale changed. */
  growthTracker: number;
  /** Steps that were skipped. */
  skipped: number;
}

const CHECK = {
  name: "gradScale",
  code,
  scalars: {},
  extra: [{ access: "read_write", variable: "state: array<atomic<u32>>" }],
  states: [],
  update: "Step(w)",
} as const satisfies ManyShader;

const ADJUST = defineProgram({
  name: "gradScale",
  code: [grad_scale_adjust],
  entryPoint: "adjust",
});

/**
 * Scales a loss so that its gradients do not vanish in half precision (dynamic loss scaling), as PyTorch's
 * `torch.amp.GradScaler`: the loss is multiplied by a scale, the optimizer divides the gradients by it again, and a
 * step with an infinite or NaN gradient is skipped. The scale halves after a step that was skipped and doubles after
 * 2,000 good ones. All of it happens on the device, nothing is read back.
 *
 * `optimizer.step(scaler)` does what PyTorch's `scaler.step(optimizer)` and `scaler.update()` do. A step that is skipped
 * counts in `optimizer.steps`.
 *
 * @example Usage
 * ```ts
 * import { autocast, backward, Device, matmul, requireGrad, scope, square, sum, tensor } from "@decoupled/uniformity";
 * import { GradScaler, SGD } from "@decoupled/uniformity/optim";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([[4], [2]]));
 * const optimizer = new SGD([w], { lr: 0.25 });
 * const scaler = new GradScaler({ initScale: 1024 });
 * {
 *   using _ = scope();
 *   const y = autocast(() => matmul(tensor([[1, 0], [0, 1]]), w));
 *   backward(scaler.scale(sum(square(y))));
 *   optimizer.step(scaler);
 * }
 * assertEquals(await w.data(), new Float32Array([2, 1]));
 * assertEquals((await scaler.state()).scale, 1024);
 * ```
 *
 * @see Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740, section 3.2; `torch.amp.GradScaler`.
 */
export class GradScaler {
  #options: { growth: number; backoff: number; interval: number };
  /** Bits of the scale, whether a gradient was not finite, steps since the scale changed, steps skipped. */
  #state: Tensor<"u32">;
  /** The first of these, as a number. */
  #scale: Tensor<"f32">;

  static {
    answerNames(this.prototype, "a GradScaler", {
      "step update": "optimizer.step(scaler)",
      unscale_: "clipGradNorm(parameters, maxNorm, { scaler })",
    });
  }

  /**
   * Starts with a scale.
   *
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(options: GradScalerOptions = {}) {
    const names = ["initScale", "growthFactor", "backoffFactor", "growthInterval", "device"] as const;
    checkOptions("make GradScaler", options, names);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options;
    checkSetting("make GradScaler", "initScale", initScale);
    checkSetting("make GradScaler", "growthFactor", growthFactor);
    checkSetting("make GradScaler", "backoffFactor", backoffFactor);
    if (growthFactor < 1) {
      throw new RangeError(`Cannot make GradScaler as growthFactor must be >= 1: got ${growthFactor}`);
    }
    if (
      !(backoffFactor > 0 && backoffFactor <= 1) || !(growthInterval >>> 0 === growthInterval && growthInterval > 0)
    ) {
      throw new RangeError(
        "Cannot make GradScaler as backoffFactor must be in (0, 1] and growthInterval an integer >= 1: " +
          `got ${backoffFactor} and ${growthInterval}`,
      );
    }
    this.#options = { growth: growthFactor, backoff: backoffFactor, interval: growthInterval };
    const device = options.device ?? Device.current;
    this.#state = keep(tensor(bitsOf({ scale: initScale, growthTracker: 0, skipped: 0 }), { device }));
    this.#scale = keep(new Tensor(device, [], { dtype: "f32", storage: this.#state.storage.retain() }));
  }

  /** The loss times the scale: what to run `backward` on. */
  scale(loss: Tensor): Tensor {
    return mul(loss, this.#scale);
  }

  /** Storage of the number that an optimizer divides gradients by, and whether it is to skip; for `Optimizer.step`. */
  get storage(): Tensor["storage"] {
    return this.#state.storage;
  }

  /** Takes note of whether a gradient is not finite; called by `Optimizer.step` before it updates. */
  check(slots: readonly Slot[]): void {
    const { device } = this.#state;
    const gradients = slots.map((slot) => ({ ...slot, states: [] }));
    device.run("gradScale", [], () => {
      for (const { params, buffers, workgroups, slots } of batches(device, gradients, CHECK)) {
        const program = manyProgram(device, CHECK, "check", slots.length, false);
        device.dispatch(program, { params, buffers: { ...buffers, 1: this.storage }, workgroups });
      }
    });
  }

  /** Moves the scale; called by `Optimizer.step` after it updated. */
  adjust(): void {
    const { device } = this.#state;
    device.run(
      "gradScale",
      [],
      () => device.dispatch(ADJUST, { params: this.#options, buffers: { 1: this.storage }, workgroups: [1, 1, 1] }),
    );
  }

  /** Reads the state back, for a checkpoint. */
  async state(): Promise<GradScalerState> {
    const bits = await this.#state.data();
    return { scale: new Float32Array(bits.buffer)[0]!, growthTracker: bits[2]!, skipped: bits[3]! };
  }

  /** Restores a state that {@linkcode GradScaler.state} gave. */
  loadState(state: GradScalerState): void {
    this.#state.write(bitsOf(state));
  }

  /** Frees the state. */
  dispose(): void {
    this.#scale.dispose();
    this.#state.dispose();
  }
}

function bitsOf({ scale, growthTracker, skipped }: GradScalerState): Uint32Array<ArrayBuffer> {
  return Uint32Array.of(new Uint32Array(Float32Array.of(scale).buffer)[0]!, 0, growthTracker, skipped);
}
