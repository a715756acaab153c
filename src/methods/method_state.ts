import type { Contrastive } from "../nn/mod.ts";
import { ndarray, toF32 } from "../formats/mod.ts";
import { AveragedModel } from "./averaged_model.ts";
import { KeyQueue } from "./key_queue.ts";
import { type Method, type MethodName, METHODS } from "./methods.ts";
import { loadState, readState, type StateDict } from "../weights/mod.ts";
import { loadDraws, readDraws } from "../weights/internal.ts";

/** Settings that a method's state follows. */
export interface StateSettings {
  /** Name of the method. */
  readonly method: MethodName;
  /** Model of the momentum encoder, for a method that has one. */
  readonly target?: Contrastive;
  /** Weight of what was before in the momentum encoder, at the start. */
  readonly targetMomentum?: number;
  /** Model of the average of the weights, where `ema` is set. */
  readonly average?: Contrastive;
  /** Weight of what was before in the average. */
  readonly ema?: number;
  /** Keys that the queue holds, for a method that has one. */
  readonly queue?: number;
  /** Seed of the queue's first keys. */
  readonly seed: number;
}

/**
 * State that a method keeps from step to step beside the weights: its momentum encoder, its queue, the average of the
 * weights.
 */
export class MethodState {
  /** The method. */
  readonly method: Method;
  /** Model whose projections are the targets; null for a method without a momentum encoder. */
  readonly target: AveragedModel | null;
  /** Average of the weights, of `config.ema`; null without. */
  readonly average: AveragedModel | null;
  /** Keys of earlier batches; null for a method without a queue. */
  readonly queue: KeyQueue | null;
  #config: StateSettings;
  #model: Contrastive;

  /** Makes what the method needs. */
  constructor(model: Contrastive, config: StateSettings) {
    this.#config = config;
    this.#model = model;
    this.method = METHODS[config.method];
    const { target, average, ema, targetMomentum, queue, seed } = config;
    this.target = this.method.targets === "momentum" ? new AveragedModel(target!, model, targetMomentum!) : null;
    this.average = ema === undefined ? null : new AveragedModel(average!, model, ema);
    this.queue = this.method.queue ? queueFor(model, queue!, seed) : null;
  }

  /** Prepares a step, given the share of the run that is done. */
  progress(share: number): void {
    if (!this.target || !this.method.rises) return;
    this.target.setDecay(1 - (1 - this.#config.targetMomentum!) * (Math.cos(Math.PI * share) + 1) / 2);
  }

  /** Updates the state after the weights moved. */
  follow(): void {
    this.target?.update();
    this.average?.update();
  }

  /** Reads back what a checkpoint keeps beside the weights. */
  async read(): Promise<StateDict> {
    const state = readDraws(this.#model);
    for (const [prefix, averaged] of this.#models()) {
      averaged.copyCounters();
      const own = [...await readState(averaged.model), ...readDraws(averaged.model)];
      for (const [name, array] of own) state.set(`${prefix}.${name}`, array);
    }
    if (this.queue) {
      const { keys, next } = this.queue;
      state.set("queue", ndarray([...keys.shape], "f32", await keys.data() as Float32Array<ArrayBuffer>));
      state.set("queue_next", ndarray([], "i64", BigInt64Array.of(BigInt(next))));
    }
    return state;
  }

  /**
   * Restores the state of a run that is resumed.
   *
   * @throws {TypeError} If it lacks something that the method needs, or that is of another shape.
   */
  load(state: StateDict = new Map()): void {
    loadDraws(this.#model, state);
    for (const [prefix, { model }] of this.#models()) {
      const named = [...state].filter(([name]) => name.startsWith(`${prefix}.`));
      if (named.length === 0) throw lacks(`the ${prefix === "target" ? "momentum encoder" : "average of the weights"}`);
      const own = new Map(named.map(([name, array]) => [name.slice(prefix.length + 1), array]));
      loadDraws(model, own);
      loadState(model, new Map([...own].filter(([name]) => !name.startsWith("draws."))));
    }
    if (!this.queue) return;
    const [keys, next] = [state.get("queue"), state.get("queue_next")];
    if (!keys || !next || `${keys.shape}` !== `${this.queue.keys.shape}`) throw lacks("the queue, of the same length");
    this.queue.keys.write(toF32(keys));
    this.queue.goTo(Number(next.data[0]));
  }

  /** Frees the queue; the models are the caller's. */
  dispose(): void {
    this.queue?.dispose();
  }

  #models(): [string, AveragedModel][] {
    return Object.entries({ target: this.target, average: this.average }).flatMap(([name, each]) =>
      each ? [[name, each] as [string, AveragedModel]] : []
    );
  }
}

function lacks(what: string): TypeError {
  return new TypeError(`Cannot load the state of the method as it must hold ${what}: got a checkpoint without`);
}

/** A queue for keys as wide as the projections of the model. */
function queueFor(model: Contrastive, keys: number, seed: number): KeyQueue {
  const [weight] = model.head.parameters().slice(-2); // of the last layer: weight and bias
  return new KeyQueue(weight!.device, keys, weight!.shape[1]!, seed);
}
