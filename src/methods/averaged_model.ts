import { BatchNorm2d, type Contrastive } from "../nn/mod.ts";
import { EMA } from "../optim/mod.ts";

/**
 * A model that follows another one of the same network: its parameters and running statistics are the exponential moving
 * averages of the other's. What the other has beside, such as a predictor, is not averaged.
 */
export class AveragedModel {
  /** The model that follows. */
  readonly model: Contrastive;
  #source: Contrastive;
  #ema: EMA;

  /**
   * Begins as a copy.
   *
   * @param model Overwritten; it gets no gradient.
   * @param source What is trained.
   * @param decay Weight of what was before, in [0, 1].
   * @throws {TypeError} If it has a tensor that the source has not, or of another shape.
   */
  constructor(model: Contrastive, source: Contrastive, decay: number) {
    this.model = model.requiresGrad(false);
    this.#source = source;
    for (const [, module] of model.namedModules()) {
      if (module instanceof BatchNorm2d) module.track(false); // its statistics are averages too
    }
    const from = source.stateDict();
    const entries = [...model.stateDict()];
    const missing = entries.find(([name]) => !from.has(name));
    if (missing) {
      throw new TypeError(`Cannot average a model as both must be of one network: got "${missing[0]}" in one alone`);
    }
    this.#ema = new EMA(entries.map(([, tensor]) => tensor), entries.map(([name]) => from.get(name)!), { decay });
  }

  /** Sets the weight of what was before from the next update on. */
  setDecay(decay: number): void {
    this.#ema.decay = decay;
  }

  /** Moves the average towards the weights, after a step. */
  update(): void {
    this.#ema.update();
  }

  /** Copies the counters, which are not averaged. */
  copyCounters(): void {
    const counters = new Map(this.#source.namedCounters());
    for (const [name, counter] of this.model.namedCounters()) counter.value = counters.get(name)!.value;
  }
}
