import { sgd as code } from "../shaders/optim.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import { batches, manyProgram, type ManyShader, scaledShader, type Scaling, type Slot } from "./_many.ts";
import { Optimizer } from "./optimizer.ts";

/** Settings of {@linkcode SGD}. */
export interface SGDOptions {
  /** Learning rate ≥ 0. */
  lr: number;
  /** Momentum ≥ 0; 0 by default. */
  momentum?: number;
  /** Weight decay (L2) ≥ 0; 0 by default. */
  weightDecay?: number;
  /** Nesterov's momentum; false by default. */
  nesterov?: boolean;
}

const SHADER = {
  name: "sgd",
  code,
  scalars: { lr: "f32", momentum: "f32", weight_decay: "f32", nesterov: "u32" },
  extra: [],
  states: ["v"],
  update: "sgd(w, g, v)",
} as const satisfies ManyShader;
const SCALED = scaledShader(SHADER);

/**
 * Stochastic gradient descent: `d = g + wd·w; v = m·v + d; w −= lr·(nesterov ? d + m·v : v)`. A dispatch updates as
 * many parameters as the adapter binds: at most 256 on a GPU, 8 on a CPU adapter.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, requireGrad, square, sum, tensor } from "@decoupled/uniformity";
 * import { SGD } from "@decoupled/uniformity/optim";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([4, 2]));
 * const optimizer = new SGD([w], { lr: 0.25 });
 * backward(sum(square(w)));
 * optimizer.step();
 * assertEquals(await w.data(), new Float32Array([2, 1]));
 * ```
 *
 * @see `torch.optim.SGD`, dampening 0.
 */
export class SGD extends Optimizer {
  #options: Required<Omit<SGDOptions, "lr">>;

  /**
   * Takes parameters and settings.
   *
   * @throws {RangeError} If a setting is negative, or Nesterov is asked for without momentum.
   */
  constructor(parameters: readonly Tensor[], options: SGDOptions) {
    checkOptions("make SGD", options ?? {}, ["lr", "momentum", "weightDecay", "nesterov"]);
    const { lr, momentum = 0, weightDecay = 0, nesterov = false } = options ?? {};
    for (const [name, value] of Object.entries({ momentum, weightDecay })) {
      checkSetting("make SGD", name, value, { orZero: true });
    }
    if (nesterov && momentum === 0) throw new RangeError("Cannot make SGD as nesterov needs momentum > 0: got 0");
    super(parameters, lr, momentum > 0 ? ["velocity"] : []);
    this.#options = { momentum, weightDecay, nesterov };
  }

  /** Encodes one dispatch for each batch of tensors. */
  protected override update(slots: readonly Slot[], scaler: Scaling | null): void {
    const { device } = slots[0]!.weight;
    const { momentum, weightDecay, nesterov } = this.#options;
    const scalars = { lr: () => this.rate(), momentum, weight_decay: weightDecay, nesterov: Number(nesterov) };
    const shader = scaler ? SCALED : SHADER;
    device.run("sgd", [], () => {
      for (const batch of batches(device, slots, shader, scaler)) {
        const program = manyProgram(device, shader, "step", batch.slots.length, momentum > 0);
        device.dispatch(program, { ...batch, params: { ...scalars, ...batch.params } });
      }
    });
  }
}
