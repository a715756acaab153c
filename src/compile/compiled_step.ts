import type { Device, Recording, Reserve } from "../device/mod.ts";
import { differenceOf } from "./difference.ts";
import { keep, scope, Tensor, tidy } from "../tensor/mod.ts";
import { assign } from "../tensor/internal.ts";
import type { Check, StepArgument, StepResult } from "./types.ts";

/** Calls that must have had the same commands, one after the other, before a step is replayed. */
const ALIKE = 2;
/** Number of equal calls for steps of up to {@linkcode FEW} dispatches, which cost the host little to run. */
const ALIKE_OF_FEW = 7;
const FEW = 32;
/** Replays until the commands are compared again; twice as many after each time that they were the same. */
const FIRST_CHECK = 8;
const LAST_CHECK = 256;
/** Calls in a row whose commands may differ from those before. */
const MOST_CHANGES = 4;

type Step<R> = (...args: StepArgument[]) => R;

/** A step for arguments of one kind: called plainly first, then recorded and compared, then replayed. */
export class CompiledStep<R extends StepResult> {
  /** Calls that were replayed. */
  replays = 0;
  #device: Device;
  #reserve: Reserve;
  #step: Step<R>;
  #check: Check;
  #warm = false;
  #recording: Recording | null = null;
  /** Calls in a row whose commands were those of the call before, and whose were not. */
  #alike = 0;
  #changes = 0;
  /** Replays since the commands were compared, and after how many they are compared again. */
  #unchecked = 0;
  #checkAfter = FIRST_CHECK;
  #inputs: StepArgument[] = [];
  #outputs: Tensor[] = [];
  #result: R | null = null;

  /** Starts without a recording; the storages of recorded steps come from `reserve`. */
  constructor(device: Device, reserve: Reserve, step: Step<R>, check: Check) {
    this.#device = device;
    this.#reserve = reserve;
    this.#step = step;
    this.#check = check;
  }

  /** Recording that is replayed; null before there is one. */
  get recording(): Recording | null {
    return this.#recording;
  }

  /** Runs the step on arguments of the same kind as ever. */
  call(args: readonly StepArgument[]): R {
    if (this.#recording && !this.#recording.holds) this.dispose();
    if (!this.#warm) {
      this.#warm = true;
      return plainly(() => this.#step(...args));
    }
    this.#give(args);
    if (this.#mayReplay()) {
      this.#device.recordings.replay(this.#recording!);
      this.replays++;
      this.#unchecked++;
    } else this.#record();
    return mapTensors(this.#result as R, (output) => output.alias());
  }

  /** Frees everything; the next call is the first one again. */
  dispose(): void {
    this.#recording?.dispose();
    for (const each of [...this.#inputs, ...this.#outputs]) if (each instanceof Tensor) each.dispose();
    this.#recording = this.#result = null;
    this.#inputs = [];
    this.#outputs = [];
    this.#warm = false;
    this.#alike = this.#changes = this.#unchecked = 0;
    this.#checkAfter = FIRST_CHECK;
  }

  #mayReplay(): boolean {
    if (this.#recording === null || this.#check === "always") return false;
    if (this.#check === "never") return this.#alike >= ALIKE;
    const few = this.#recording.dispatches.length <= FEW;
    return this.#alike >= (few ? ALIKE_OF_FEW : ALIKE) && this.#unchecked < this.#checkAfter;
  }

  /** Copies the arguments to where the commands find them. */
  #give(args: readonly StepArgument[]): void {
    if (this.#inputs.length === 0) {
      this.#inputs = args.map((arg) =>
        arg instanceof Tensor ? keep(new Tensor(arg.device, arg.shape, { dtype: arg.dtype })) : arg
      );
    }
    args.forEach((arg, i) => arg instanceof Tensor && assign(this.#inputs[i] as Tensor, arg));
  }

  /** Runs the step as it is, and compares its commands with those of the last time. */
  #record(): void {
    const inputs = this.#inputs.flatMap((input) => input instanceof Tensor ? [input.storage] : []);
    const recording = this.#device.recordings.record(this.#reserve, inputs, () => {
      using _ = scope();
      let count = 0;
      this.#result = mapTensors(this.#step(...this.#inputs), (tensor) => this.#copyOut(tensor, count++));
    });
    const before = this.#recording;
    const difference = before && differenceOf(before, recording);
    if (before && difference === null) {
      recording.dispose();
      this.#passed();
      return;
    }
    this.#recording = recording;
    before?.dispose();
    this.#alike = 1;
    if (difference !== null) this.#changed(difference);
  }

  /** Takes note that the commands were the same again. */
  #passed(): void {
    this.#alike++;
    this.#changes = 0;
    if (this.#unchecked > 0) this.#checkAfter = Math.min(2 * this.#checkAfter, LAST_CHECK);
    this.#unchecked = 0;
  }

  /** Refuses a change when calls were replayed that may have wanted it, or when there is one at every call to be replayed. */
  #changed(difference: string): void {
    if (this.#check === "always") return; // each call was run
    if (this.#unchecked === 0 && ++this.#changes < MOST_CHANGES) return;
    const stale = this.#unchecked > 0 ? `, perhaps since ${this.#unchecked} calls` : "";
    throw new Error(
      `Cannot replay a compiled step as its commands must be the same at every call: ${difference}${stale}; what ` +
        `changes must be an argument of the step, in a tensor that lives on, or a function in params`,
    );
  }

  /** Copies a result to where it outlives the step. */
  #copyOut(tensor: Tensor, index: number): Tensor {
    let output = this.#outputs[index];
    if (output?.dtype !== tensor.dtype || `${output.shape}` !== `${tensor.shape}`) {
      output?.dispose();
      const { device, shape, dtype } = tensor;
      output = this.#outputs[index] = device.recordings.outside(() => keep(new Tensor(device, shape, { dtype })));
    }
    assign(output, tensor);
    return output;
  }
}

/** Runs a step without recording; its results are outside the graph all the same. */
export function plainly<R extends StepResult>(step: () => R): R {
  return tidy(() => mapTensors(step(), (tensor) => tensor.alias()));
}

/** Maps the tensors of a result, which keeps its structure. */
function mapTensors<R extends StepResult>(result: R, change: (tensor: Tensor) => Tensor): R {
  if (result === undefined) return result;
  if (result instanceof Tensor) return change(result) as unknown as R;
  if (typeof result === "object" && result !== null && !(result instanceof Promise)) {
    const entries = Object.entries(result).map(([name, value]): [string, Tensor] => {
      if (value instanceof Tensor) return [name, change(value)];
      throw new TypeError(`Cannot run a compiled step as it must return tensors: got ${typeof value} for "${name}"`);
    });
    const changed = Array.isArray(result) ? entries.map(([, tensor]) => tensor) : Object.fromEntries(entries);
    return changed as unknown as R;
  }
  throw new TypeError(
    `Cannot run a compiled step as it must return tensors or nothing, at once: got ${
      result instanceof Promise ? "a promise" : typeof result
    }`,
  );
}
