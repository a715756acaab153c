import type { Device, Recording, Reserve } from "../device/mod.ts";
import { differenceOf } from "../device/internal.ts";
import { keep, scope, Tensor, tidy } from "../tensor/mod.ts";
import { assign } from "../tensor/internal.ts";
import type { StepArgument, StepResult } from "./types.ts";

/** Replays after which the commands are compared with those of an ordinary call. */
const CHECK_EVERY = 256;
/** Calls after which the commands must have become the same. */
const MOST_TRIES = 4;

type Step<R> = (...args: StepArgument[]) => R;

/** A step for arguments of one kind: called plainly first, then recorded and compared, then replayed. */
export class CompiledStep<R extends StepResult> {
  /** Calls that were replayed. */
  replays = 0;
  #device: Device;
  #reserve: Reserve;
  #step: Step<R>;
  #warm = false;
  #tries = 0;
  #recording: Recording | null = null;
  /** Replays since the commands were compared; null: they never were. */
  #sinceCheck: number | null = null;
  #inputs: StepArgument[] = [];
  #outputs: Tensor[] = [];
  #result: R | null = null;

  /** The step's storages come from `reserve`. */
  constructor(device: Device, reserve: Reserve, step: Step<R>) {
    this.#device = device;
    this.#reserve = reserve;
    this.#step = step;
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
    if (this.#sinceCheck === null || this.#sinceCheck >= CHECK_EVERY) this.#record();
    else {
      this.#device.recordings.replay(this.#recording!);
      this.replays++;
      this.#sinceCheck++;
    }
    return mapTensors(this.#result as R, (output) => output.alias());
  }

  /** Frees everything; the next call is the first one again. */
  dispose(): void {
    this.#recording?.dispose();
    for (const each of [...this.#inputs, ...this.#outputs]) if (each instanceof Tensor) each.dispose();
    this.#recording = this.#result = this.#sinceCheck = null;
    this.#inputs = [];
    this.#outputs = [];
    this.#warm = false;
    this.#tries = 0;
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
      this.#sinceCheck = 0;
      return;
    }
    this.#recording = recording;
    before?.dispose();
    if (difference !== null && (this.#sinceCheck !== null || ++this.#tries === MOST_TRIES)) {
      throw new Error(
        `Cannot replay a compiled step as its commands must be the same at every call: ${difference}; what changes ` +
          `must be an argument of the step, in a tensor that lives on, or a function in params`,
      );
    }
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
