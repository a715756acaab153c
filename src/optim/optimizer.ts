import { answerNames } from "../checks/internal.ts";
import { checkOnce } from "./_once.ts";
import { fill, keep, Tensor } from "../tensor/mod.ts";
import { checkSetting } from "../tensor/internal.ts";
import type { Scaling, Slot } from "./_many.ts";
import type { GradScaler } from "./grad_scaler.ts";
import { tensorsOf } from "./_tensors.ts";

/** State of an optimizer beside the parameters. */
export interface OptimizerState {
  /** Learning rate. */
  lr: number;
  /** Steps taken. */
  steps: number;
  /**
   * State of each parameter, by its name, in the order of the parameters: `velocity` of SGD with momentum and LARS,
   * `expAvg` and `expAvgSq` of Adam.
   */
  states: Record<string, Float32Array<ArrayBuffer>[]>;
}

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  /** Learning rate of the next step; a schedule sets it. */
  lr: number;
  /** The parameters, in the order given. */
  readonly parameters: readonly Tensor[];
  #names: readonly string[];
  #states = new Map<Tensor, readonly Tensor[]>();
  #steps = 0;

  static {
    answerNames(this.prototype, "an optimizer", {
      "param_groups paramGroups": "optimizer.lr, and an optimizer for each group",
      zero_grad: "optimizer.zeroGrad()",
      "state_dict stateDict": "await optimizer.state()",
      "load_state_dict loadStateDict": "optimizer.loadState(state)",
    });
  }

  /** Checks the parameters, and makes the states of each, zeros, such as `["velocity"]`. */
  constructor(parameters: readonly Tensor[], lr: number, states: readonly string[]) {
    tensorsOf("make an optimizer", "parameters", parameters);
    if (parameters.length === 0) throw new TypeError("Cannot make an optimizer without parameters: got an empty list");
    checkSetting("make an optimizer", "lr", lr, { orZero: true });
    for (const { dtype, link } of parameters) {
      if (dtype !== "f32" || link) throw new TypeError("Cannot optimize a tensor that is not an f32 leaf");
    }
    checkOnce("optimize", parameters);
    this.lr = lr;
    this.parameters = [...parameters];
    this.#names = states;
    for (const each of parameters) this.#states.set(each, states.map(() => keep(zerosLike(each))));
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Updates every parameter that has a gradient, frees the gradients, and submits what was encoded. PyTorch keeps the
   * gradients until `zero_grad()`; here the next `backward` starts from none.
   *
   * @param scaler What scaled the loss: gradients are divided by its scale, the step is skipped where one of them is not
   *   finite, and the scale moves on.
   */
  step(scaler?: GradScaler): void {
    const slots: Slot[] = [];
    for (const weight of this.parameters) {
      const { grad } = weight;
      if (grad && !grad.disposed) slots.push({ weight, grad, states: this.#states.get(weight) ?? [] });
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
    const read = (tensor: Tensor) => tensor.data() as Promise<Float32Array<ArrayBuffer>>;
    const kept = await Promise.all([...this.#states.values()].map((each) => Promise.all(each.map(read))));
    const states = Object.fromEntries(this.#names.map((name, i) => [name, kept.map((each) => each[i]!)]));
    return { lr: this.lr, steps: this.#steps, states };
  }

  /**
   * Restores a state that {@linkcode Optimizer.state} gave.
   *
   * @throws {TypeError} If it is of other parameters.
   * @throws {RangeError} If the steps are no integer in [0, 2³²), as which the device counts them.
   */
  loadState(state: OptimizerState): void {
    this.#check(state.states);
    if (state.steps >>> 0 !== state.steps) {
      throw new RangeError(`Cannot load the optimizer's state as steps must be in [0, 2^32): got ${state.steps}`);
    }
    this.#names.forEach((name, i) => {
      this.parameters.forEach((each, p) => this.#states.get(each)![i]!.write(state.states[name]![p]!));
    });
    this.lr = state.lr;
    this.#steps = state.steps;
  }

  /** Frees the states. */
  dispose(): void {
    for (const each of [...this.#states.values()].flat()) each.dispose();
    this.#states.clear();
  }

  /** Refuses the states of another optimizer or of other parameters. */
  #check(states: OptimizerState["states"]): void {
    const given = Object.keys(states);
    if (given.length !== this.#names.length || given.some((name) => !this.#names.includes(name))) {
      const [want, got] = [this.#names, given].map((names) => names.join(" and ") || "none");
      throw new TypeError(`Cannot load the optimizer's state as its states must be ${want}: got ${got}`);
    }
    for (const [name, arrays] of Object.entries(states)) {
      const { parameters } = this;
      if (arrays.length === parameters.length && parameters.every(({ size }, i) => size === arrays[i]!.length)) {
        continue;
      }
      throw new TypeError(
        `Cannot load the optimizer's state as ${name} must have the sizes of ${parameters.length} parameters: ` +
          `got ${arrays.length} arrays of other sizes`,
      );
    }
  }

  /**
   * Learning rate of the step, as the shader is given it.
   *
   * @throws {RangeError} If what was set since is below 0, or no number that f32 holds.
   */
  protected rate(): number {
    const { lr } = this;
    if (lr >= 0 && Math.fround(lr) < Infinity) return lr;
    throw new RangeError(`Cannot step() as lr must be >= 0 and finite: current value is ${lr}`);
  }

  /** Encodes the update, by unscaled gradients where there is a scaler. */
  protected abstract update(slots: readonly Slot[], scaler: Scaling | null): void;
}

function zerosLike(x: Tensor): Tensor {
  const zero = new Tensor(x.device, x.shape);
  fill(zero, 0);
  return zero;
}
