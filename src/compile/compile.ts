import { environment } from "../device/internal.ts";
import { isWatched } from "../autograd/internal.ts";
import { Device, type Reserve } from "../device/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { CompiledStep, plainly } from "./compiled_step.ts";
import { isAutocast, isGradEnabled } from "../autograd/mod.ts";
import type { StepArgument, StepResult } from "./types.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Device that the step runs on; by default the device of its tensors, or the default device. */
  readonly device?: Device;
  /** Shapes of arguments that are kept recorded, the latest ones; 4 by default. */
  readonly recordings?: number;
  /**
   * Frequency at which the commands of a call are compared with those that are replayed, by running the step:
   * `"always"`, at every call, so that nothing is replayed and every result is right; `"sometimes"`, the default, in
   * the first calls and then after 8, 16, 32, ... and every 256 replays; `"never"`, only until two calls in a row were
   * the same.
   */
  readonly check?: "always" | "sometimes" | "never";
}

/** A step that {@linkcode compile} made: call it as the step itself. */
export interface Compiled<A extends readonly StepArgument[], R extends StepResult> {
  (...args: A): R;
  /** Calls that were replayed so far. */
  readonly replays: number;
  /** Frees what the recordings hold; a later call records anew. */
  dispose(): void;
  /** Frees the recordings, like `dispose()`; for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Makes a training step (or any other function of tensors) cheap for the host: after some ordinary calls with arguments
 * of the same shapes, its commands are replayed, without running `step` again. Results are those of `step`, bit for bit.
 *
 * The first call warms up, the next record and are compared: two for a step of many dispatches, seven for one of up to 32,
 * which costs the host little. Then it is replayed, and compared again after 8, 16, 32, ... and every 256 replays. Other
 * shapes, dtypes or values of the arguments, another mode of a module (`train()`, `eval()`), frozen parameters or
 * `noGrad` make a recording of their own. While the profiler is on, and inside another compiled step, calls are ordinary
 * ones.
 *
 * As with JAX's `jit`, what `step` takes from outside (a number, a flag, a variable that holds a tensor) is part of the
 * recording: a replay does not see that the variable has another value now. What is seen: a tensor from outside that was
 * disposed or collected is looked for anew; a change between calls that are compared is recorded, with the right result;
 * one that is found later, when replays may have missed it, is an error that names it. `{ check: "always" }` runs `step`
 * at every call, to find out whether replay is at fault, and `{ check: "never" }` spares the later comparisons.
 *
 * What `step` may do:
 * - compute, differentiate, step optimizers: learning rates follow, counters count on;
 * - use tensors that live on outside it, such as parameters and buffers. What differs from call to call comes in as an
 *   argument, is read from the device, or is a function where a dispatch takes `params`;
 * - return tensors, which are outside the graph and belong to the scope around the call. The next call may overwrite
 *   them: read or copy them before.
 *
 * What it may not do: be asynchronous, upload or read back, change its arguments, leave gradients or tensors behind
 * (gradients end with `optimizer.step()` or `zeroGrad()`). What it does otherwise on the host (printing, counting) is
 * not repeated; see `Device.recordings` for how a module of one's own has it repeated.
 *
 * With `COMPILE=0` in the environment, every call is an ordinary one: for finding out whether replay is at fault.
 *
 * The memory that the step needs between its beginning and its end is kept for it until `dispose()`.
 *
 * @param step What to do; its arguments are tensors that want no gradient, numbers, strings, booleans or nothing.
 * @returns A function like `step`.
 * @throws {TypeError} When called, if an argument or the result is of another kind.
 * @throws {Error} When called inside `autocast` (which belongs inside the step), or if `step` does what it may not, or its
 *   commands differ from call to call; the message says which.
 *
 * @example Usage
 * ```ts
 * import { backward, compile, Device, requireGrad, scope, square, sub, sum, tensor, type Tensor } from "@decoupled/uniformity";
 * import { SGD } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const w = requireGrad(tensor([0, 0]));
 * const optimizer = new SGD([w], { lr: 0.25 });
 * using step = compile((target: Tensor) => {
 *   const loss = sum(square(sub(w, target)));
 *   backward(loss);
 *   optimizer.step();
 *   return loss;
 * });
 * for (let i = 0; i < 20; i++) {
 *   using _ = scope();
 *   step(tensor([3, 4]));
 * }
 * assertAlmostEquals((await w.data())[1]!, 4, 1e-4);
 * assertEquals(step.replays, 11);
 * ```
 */
export function compile<A extends readonly StepArgument[], R extends StepResult>(
  step: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  checkOptions("run compile()", options, ["device", "recordings", "check"]);
  checkOption(options.check);
  const steps = new Steps(step as unknown as (...args: StepArgument[]) => R, options);
  const compiled = Object.defineProperties((...args: A) => steps.call(args), {
    replays: { get: () => steps.replays },
    dispose: { value: () => steps.dispose() },
    [Symbol.dispose]: { value: () => steps.dispose() },
  }) as unknown as Compiled<A, R>;
  forgotten.register(compiled, steps);
  return compiled;
}

function checkOption(check: CompileOptions["check"]): void {
  if (check === undefined || check === "always" || check === "sometimes" || check === "never") return;
  throw new RangeError(`Cannot compile() a step as check must be "always", "sometimes" or "never": got ${check}`);
}

/** Frees what a compiled step that was forgotten holds. */
const forgotten = new FinalizationRegistry<{ dispose(): void }>((steps) => steps.dispose());

/** The recordings of a step, by what its arguments are. */
class Steps<R extends StepResult> {
  replays = 0;
  #step: (...args: StepArgument[]) => R;
  #options: CompileOptions;
  #recorded = new Map<string, CompiledStep<R>>();
  #reserve: Reserve | null = null;
  #device: Device | null = null;

  constructor(step: (...args: StepArgument[]) => R, options: CompileOptions) {
    this.#step = step;
    this.#options = options;
  }

  call(args: readonly StepArgument[]): R {
    const key = keyOf(args);
    const device = this.#options.device ?? args.find((each) => each instanceof Tensor)?.device ?? Device.current;
    if (device.recordings.active) return this.#step(...args);
    if (isAutocast()) throw new Error("Cannot run a compiled step inside autocast(): call autocast() inside the step");
    if (device.recordings.paused || environment("COMPILE") === "0" || isWatched()) {
      return plainly(() => this.#step(...args));
    }
    if (device !== this.#device) this.#move(device);
    const recorded = this.#latest(key, device);
    const before = recorded.replays;
    try {
      return recorded.call(args);
    } catch (error) {
      this.dispose(); // what a step that failed midway left behind may lie where others write
      throw error;
    } finally {
      this.replays += recorded.replays - before;
    }
  }

  dispose(): void {
    for (const each of this.#recorded.values()) each.dispose();
    this.#recorded.clear();
    if (this.#reserve) this.#device?.recordings.dissolve(this.#reserve);
    this.#reserve = this.#device = null;
  }

  #move(device: Device): void {
    this.dispose();
    this.#device = device;
    this.#reserve = device.recordings.openReserve();
  }

  /** Returns what is recorded for a key, moved to the end; makes room for it. */
  #latest(key: string, device: Device): CompiledStep<R> {
    const found = this.#recorded.get(key) ??
      new CompiledStep(device, this.#reserve!, this.#step, this.#options.check ?? "sometimes");
    this.#recorded.delete(key);
    this.#recorded.set(key, found);
    for (const [oldest, each] of this.#recorded) {
      if (this.#recorded.size <= (this.#options.recordings ?? 4)) break;
      each.dispose();
      this.#recorded.delete(oldest);
      device.recordings.shrink(
        this.#reserve!,
        [...this.#recorded.values()].flatMap(({ recording }) => recording ?? []),
      );
    }
    return found;
  }
}

/** Makes the key that decides which recording is right. */
function keyOf(args: readonly StepArgument[]): string {
  let key = `${isGradEnabled()} ${isAutocast()}`;
  args.forEach((arg, i) => {
    if (arg instanceof Tensor) {
      if (arg.requiresGrad || arg.link) {
        throw new TypeError(
          `Cannot run a compiled step as its arguments must be outside the graph: got argument ${i} [${arg.shape}], ` +
            `detach() it`,
        );
      }
      key += `|${arg.dtype}[${arg.shape}]`;
    } else if (arg === null || (typeof arg !== "object" && typeof arg !== "function" && typeof arg !== "symbol")) {
      key += `|${typeof arg} ${String(arg).length} ${arg}`;
    } else {
      throw new TypeError(
        `Cannot run a compiled step as its arguments must be tensors, numbers, strings, booleans or nothing: ` +
          `got argument ${i} of type ${typeof arg}`,
      );
    }
  });
  return key;
}
