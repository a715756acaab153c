import { defineProgram, type Device } from "../device/mod.ts";
import { adam as code, adam_count } from "../shaders/optim.ts";
import { keep, type Tensor, tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { batches, manyProgram, type ManyShader, scaledShader, type Scaling, scalingPart, type Slot } from "./_many.ts";
import { Optimizer, type OptimizerState } from "./optimizer.ts";

/** Settings of {@linkcode Adam} and {@linkcode AdamW}; the defaults are PyTorch's. */
export interface AdamOptions {
  /** Learning rate ≥ 0; 0.001 by default. */
  lr?: number;
  /** Decay of the means of gradients and of their squares, both in [0, 1); 0.9 and 0.999 by default. */
  betas?: readonly [number, number];
  /** Term added to the root of the mean square, > 0; 1e-8 by default. */
  eps?: number;
  /** Weight decay ≥ 0; 0 by default, 0.01 in {@linkcode AdamW}. */
  weightDecay?: number;
}

const SHADER = {
  name: "adam",
  code,
  scalars: {
    lr: "f32",
    beta1: "f32",
    beta2: "f32",
    rest1: "f32",
    rest2: "f32",
    eps: "f32",
    weight_decay: "f32",
    decoupled: "u32",
  },
  extra: [{ access: "read", variable: "count: array<u32>" }],
  states: ["m", "v"],
  update: "adam(w, g, m, v)",
} as const satisfies ManyShader;
const SCALED = scaledShader(SHADER);

/** The program that counts a step, with a scaled loss or without. */
function countProgram(scaled: boolean) {
  const part = scalingPart(scaled ? 2 : null);
  return defineProgram({ name: "adam count", code: [adam_count, part], entryPoint: "advance" });
}
const COUNT = countProgram(false);
const COUNT_SCALED = countProgram(true);

/** The logarithm of a decay, finite for 0 too: `1 − exp(count · −100)` is 1. */
const LEAST_LOG = -100;

/**
 * Adam: steps of about `lr` in every element, whatever the size of its gradients.
 *
 * `d = g + wd·w; m = β₁m + (1 − β₁)d; v = β₂v + (1 − β₂)d²; w −= lr · m/(1 − β₁ᵏ) / (√(v/(1 − β₂ᵏ)) + eps)` in step k.
 * The count k is kept on the device: a step that a `GradScaler` skips is not counted. It is one for all parameters, where
 * PyTorch counts the steps of each. A dispatch updates as many parameters as the adapter binds, as in `SGD`.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, requireGrad, square, sum, tensor } from "@decoupled/uniformity";
 * import { Adam } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([4, -2]));
 * const optimizer = new Adam([w], { lr: 0.5 });
 * backward(sum(square(w)));
 * optimizer.step(); // the first step is lr towards the minimum
 * assertAlmostEquals((await w.data())[0]!, 3.5, 1e-6);
 * assertAlmostEquals((await w.data())[1]!, -1.5, 1e-6);
 * ```
 *
 * @see `torch.optim.Adam`, without AMSGrad; Kingma and Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980.
 */
export class Adam extends Optimizer {
  #options: Required<Omit<AdamOptions, "lr">>;
  #decoupled: boolean;
  /** Steps counted, and the bits of the bias corrections after them. */
  #count: Tensor<"u32">;

  /**
   * Takes parameters and settings.
   *
   * @param parameters What is updated.
   * @param options Settings.
   * @param decoupled Whether the decay is AdamW's.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(parameters: readonly Tensor[], options: AdamOptions = {}, decoupled = false) {
    const name = decoupled ? "AdamW" : "Adam";
    checkOptions(`make ${name}`, options, ["lr", "betas", "eps", "weightDecay"]);
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = decoupled ? 0.01 : 0 } = options;
    checkSetting(`make ${name}`, "weightDecay", weightDecay, { orZero: true });
    checkSetting(`make ${name}`, "eps", eps);
    if (!(betas.length === 2 && betas.every((beta) => beta >= 0 && Math.fround(beta) < 1))) {
      throw new RangeError(`Cannot make ${name} as betas must be two numbers in [0, 1): got ${betas.join(", ")}`);
    }
    super(parameters, lr, ["expAvg", "expAvgSq"]);
    this.#options = { betas, eps, weightDecay };
    this.#decoupled = decoupled;
    this.#count = keep(tensor<"u32">(new Uint32Array(4), { device: this.parameters[0]!.device }));
  }

  /** Reads the state back; `steps` are those that were counted, without the skipped ones. */
  override async state(): Promise<OptimizerState> {
    const [state, [steps]] = await Promise.all([super.state(), this.#count.data()]);
    return { ...state, steps: steps! };
  }

  /** Restores a state that {@linkcode Optimizer.state} gave. */
  override loadState(state: OptimizerState): void {
    super.loadState(state);
    this.#count.write(Uint32Array.of(state.steps, 0, 0, 0));
  }

  /** Frees the states. */
  override dispose(): void {
    super.dispose();
    this.#count.dispose();
  }

  /** Encodes one dispatch that counts steps, and one for each batch of tensors. */
  protected override update(slots: readonly Slot[], scaler: Scaling | null): void {
    const { device } = slots[0]!.weight;
    const { betas: [beta1, beta2], eps, weightDecay } = this.#options;
    const decay = { weight_decay: weightDecay, decoupled: Number(this.#decoupled) };
    const scalars = { lr: () => this.rate(), beta1, beta2, rest1: 1 - beta1, rest2: 1 - beta2, eps, ...decay };
    const shader = scaler ? SCALED : SHADER;
    device.run("adam", [], () => {
      this.#advance(device, scaler);
      for (const { slots: some, params, buffers, workgroups } of batches(device, slots, shader, scaler)) {
        const program = manyProgram(device, shader, "step", some.length, true);
        const bound = { ...buffers, 1: this.#count.storage };
        device.dispatch(program, { params: { ...scalars, ...params }, buffers: bound, workgroups });
      }
    });
  }

  #advance(device: Device, scaler: Scaling | null): void {
    const [log1, log2] = this.#options.betas.map((beta) => Math.max(Math.log(beta), LEAST_LOG)) as [number, number];
    const buffers = scaler ? { 1: this.#count.storage, 2: scaler.storage } : { 1: this.#count.storage };
    const program = scaler ? COUNT_SCALED : COUNT;
    device.dispatch(program, { params: { log1, log2 }, buffers, workgroups: [1, 1, 1] });
  }
}

/**
 * Optimizer {@linkcode Adam} with decoupled weight decay: `w ← (1 − lr·wd)·w` before the step, and the decay enters
 * neither mean. What vision transformers are trained with.
 *
 * @example Usage
 * ```ts
 * import { Device, requireGrad, tensor, zeros } from "@decoupled/uniformity";
 * import { AdamW } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([4]));
 * const optimizer = new AdamW([w], { lr: 0.1, weightDecay: 0.5 });
 * w.grad = zeros([1]);
 * optimizer.step(); // a gradient of 0 leaves the decay: 4 · (1 − 0.1 · 0.5)
 * assertAlmostEquals(await w.item(), 3.8, 1e-6);
 * ```
 *
 * @see `torch.optim.AdamW`; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
 */
export class AdamW extends Adam {
  /**
   * Takes parameters and settings.
   *
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(parameters: readonly Tensor[], options: AdamOptions = {}) {
    super(parameters, options, true);
  }
}
