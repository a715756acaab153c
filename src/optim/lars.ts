import { lars as code } from "../shaders/optim.ts";
import { Tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { type Batch, batches, manyProgram, type ManyShader, scaledShader, type Scaling, type Slot } from "./_many.ts";
import { Optimizer } from "./optimizer.ts";

/** Settings of {@linkcode LARS}. */
export interface LARSOptions {
  /** Learning rate ≥ 0. */
  lr: number;
  /** Momentum ≥ 0; 0.9 by default. */
  momentum?: number;
  /** Weight decay ≥ 0; 0 by default. */
  weightDecay?: number;
  /** Trust coefficient η > 0; 0.001 by default. */
  eta?: number;
  /**
   * Whether to repeat the original's rule: every tensor is adapted and decayed, a tensor of norm 0 never moves
   * (BatchNorm's biases under LARS), and a gradient of norm 0 gives NaN. False, the default: tensors of one axis
   * (biases, BatchNorm) are neither adapted nor decayed, and a norm of 0 gives trust 1.
   */
  faithful?: boolean;
}

const SHADER = {
  name: "lars",
  code,
  scalars: { lr: "f32", momentum: "f32", weight_decay: "f32", eta: "f32", faithful: "u32" },
  extra: [
    { access: "read_write", variable: "scratch: array<f32>" },
    { access: "read_write", variable: "trust: array<f32>" },
  ],
  states: ["v"],
  update: "lars(t, w, g, v)",
} as const satisfies ManyShader;
const SCALED = scaledShader(SHADER);

/**
 * Layer-wise adaptive rate scaling with classic momentum:
 * `d = g + wd·w; v = m·v + lr·(η‖w‖/‖d‖)·d; w −= v`.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, requireGrad, square, sum, tensor } from "@decoupled/uniformity";
 * import { LARS } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([[3, 4]]));
 * const optimizer = new LARS([w], { lr: 1, eta: 0.5 });
 * backward(sum(square(w))); // gradient 2w, so the step is 0.5 · ‖w‖ / ‖2w‖ · 2w = 0.5 w
 * optimizer.step();
 * assertAlmostEquals((await w.data())[0]!, 1.5, 1e-6);
 * ```
 *
 * @see You et al., "Large Batch Training of Convolutional Networks", arXiv:1708.03888; the form of the SimCLR code.
 */
export class LARS extends Optimizer {
  #options: Required<Omit<LARSOptions, "lr">>;

  /**
   * Takes parameters and settings.
   *
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(parameters: readonly Tensor[], options: LARSOptions) {
    checkOptions("make LARS", options ?? {}, ["lr", "momentum", "weightDecay", "eta", "faithful"]);
    const { lr, momentum = 0.9, weightDecay = 0, eta = 1e-3, faithful = false } = options ?? {};
    for (const [name, value] of Object.entries({ momentum, weightDecay })) {
      checkSetting("make LARS", name, value, { orZero: true });
    }
    checkSetting("make LARS", "eta", eta);
    super(parameters, lr, ["velocity"]);
    this.#options = { momentum, weightDecay, eta, faithful };
  }

  /** Three dispatches a batch of tensors: partial norms, trust ratios, update. */
  protected override update(slots: readonly Slot[], scaler: Scaling | null): void {
    const { device } = slots[0]!.weight;
    device.run("lars", [], () => {
      const shader = scaler ? SCALED : SHADER;
      const adapted = (weight: Tensor) => this.#options.faithful || weight.rank > 1;
      for (const batch of batches(device, slots, shader, scaler, adapted)) this.#updateBatch(shader, batch);
    });
  }

  #updateBatch(shader: ManyShader<typeof SHADER.scalars>, batch: Batch): void {
    const { device } = batch.slots[0]!.weight;
    const { momentum, weightDecay, eta, faithful } = this.#options;
    const scalars = { momentum, weight_decay: weightDecay, eta, faithful: Number(faithful) };
    const params = { lr: () => this.rate(), ...scalars, ...batch.params };
    using scratch = new Tensor(device, [2 * batch.total]);
    using trust = new Tensor(device, [batch.slots.length]);
    const buffers = { 1: scratch.storage, 2: trust.storage, ...batch.buffers };
    const many = batch.slots.length;
    device.dispatch(manyProgram(device, shader, "partial_norms", many, true), {
      params,
      buffers,
      workgroups: batch.workgroups,
    });
    device.dispatch(manyProgram(device, shader, "trust_ratios", many, true), {
      params,
      buffers,
      workgroups: [many, 1, 1],
    });
    device.dispatch(manyProgram(device, shader, "step", many, true), { params, buffers, workgroups: batch.workgroups });
  }
}
