import { fill, keep, Tensor } from "../tensor/mod.ts";
import { checkSetting } from "../tensor/internal.ts";
import type { Scaling, Slot } from "./_many.ts";
import type { GradScaler } from "./grad_scaler.ts";

/** What an optimizer has learnt beside the parameters. */
export interface OptimizerState {
  /** Learning rate. */
  lr: number;
  /** Steps taken. */
  steps: number;
  /** Velocities in the order of the parameters; empty without momentum. */
  velocities: Float32Array<ArrayBuffer>[];
}

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  /** Learning rate of the next step; a schedule sets it. */
  lr: number;
  /** The parameters, in the order given. */
  readonly parameters: readonly Tensor[];
  #velocities = new Map<Tensor, Tensor>();
  #steps = 0;

  /** Checks the parameters, and makes a velocity for each when there is momentum. */
  constructor(parameters: readonly Tensor[], lr: number, velocity: boolean) {
    if (parameters.length === 0) throw new TypeError("Cannot make an optimizer without parameters: got an empty list");
    checkSetting("make an optimizer", "lr", lr, { orZero: true });
    for (const { dtype, link } of parameters) {
      if (dtype !== "f32" || link) throw new TypeError("Cannot optimize a tensor that is not an f32 leaf");
    }
    const twice = parameters.findIndex(({ storage }, i) =>
      parameters.findIndex((each) => each.storage === storage) < i
    );
    if (twice >= 0) {
      throw new TypeError(
        `Cannot optimize a tensor twice: got parameter ${twice} [${parameters[twice]!.shape}] before`,
      );
    }
    this.lr = lr;
    this.parameters = [...parameters];
    if (velocity) { for (const each of parameters) this.#velocities.set(each, keep(zerosLike(each))); }
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Updates every parameter that has a gradient, frees the gradients, and submits what was recorded. PyTorch keeps the
   * gradients until `zero_grad()`; here the next `backward` starts from none.
   *
   * @param scaler What scaled the loss: gradients are divided by its scale, the step is skipped where one of them is not
   *   finite, and the scale moves on.
   */
  step(scaler?: GradScaler): void {
    const slots: Slot[] = [];
    for (const weight of this.parameters) {
      const { grad } = weight;
      if (grad && !grad.disposed) slots.push({ weight, grad, velocity: this.#velocities.get(weight) ?? null });
    }
    if (slots.length === 0) throw new Error("Cannot step() as no parameter has a gradient: call backward() first");
    scaler?.check(slots);
    this.update(slots, scaler ?? null);
    scaler?.adjust();
    this.zeroGrad();
    const { device } = this.parameters[0]!;
    device.recordings.repeat(() => this.#steps++);
    device.flush();
  }

  /** Drops the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /** Reads the state back, for a checkpoint. */
  async state(): Promise<OptimizerState> {
    const velocities = await Promise.all(
      [...this.#velocities.values()].map((v) => v.data() as Promise<Float32Array<ArrayBuffer>>),
    );
    return { lr: this.lr, steps: this.#steps, velocities };
  }

  /**
   * Takes a state over.
   *
   * @throws {TypeError} If it is of other parameters.
   */
  loadState(state: OptimizerState): void {
    const own = [...this.#velocities.values()];
    if (own.length !== state.velocities.length || own.some((v, i) => v.size !== state.velocities[i]!.length)) {
      throw new TypeError(
        `Cannot load the optimizer's state as the velocities differ: got ${state.velocities.length}, want ${own.length} of the parameters' sizes`,
      );
    }
    own.forEach((velocity, i) => velocity.write(state.velocities[i]!));
    this.lr = state.lr;
    this.#steps = state.steps;
  }

  /** Frees velocities. */
  dispose(): void {
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }

  /** Records the update, by unscaled gradients where there is a scaler. */
  protected abstract update(slots: readonly Slot[], scaler: Scaling | null): void;
}

function zerosLike(x: Tensor): Tensor {
  const zero = new Tensor(x.device, x.shape);
  fill(zero, 0);
  return zero;
}
