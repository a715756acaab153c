import type { Bindings, Workgroups } from "../dispatch.ts";
import type { Pipeline } from "../pipelines.ts";
import type { Reserve } from "../blocks.ts";
import { DeviceStorage } from "../storage.ts";
import { PARAMS_SLOT, type ParamType, type Program, type Scalars, setParam } from "../program.ts";
import type { TextureCopy } from "../textures.ts";
import { USAGE } from "../usage.ts";

/**
 * A dispatch as it was recorded.
 *
 * @internal
 */
export interface RecordedDispatch {
  readonly program: Program;
  readonly pipeline: Pipeline;
  readonly bindings: Bindings;
  readonly workgroups: Workgroups;
  /** The op that made it. */
  readonly label: string;
  /** Packed `Params` of the dispatch; null where it has none. */
  readonly params: Uint8Array | null;
}

/** A scalar that is asked for again at every replay. */
interface LiveParam {
  readonly read: () => number;
  readonly type: ParamType;
  readonly name: string;
  readonly dispatch: number;
  /** Bytes from the start of the dispatch's `Params`. */
  readonly at: number;
  value: number;
}

/** Actions of the host between dispatches, in order: effects to repeat, and scalars to ask for. */
type HostAction = { readonly effect: () => void } | LiveParam;

interface Condition {
  readonly read: () => unknown;
  readonly value: unknown;
}

/** Ready to be put into a pass. */
export interface Replay {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Workgroups;
  readonly hasParams: boolean;
  /** Copies into textures before it. */
  readonly copies: readonly TextureCopy[];
}

/**
 * The commands of a step: dispatches with their buffers, what the host did beside them, and on what of the host it
 * depended. It holds what it binds: storages from outside by a reference, those that the step made by its reserve.
 */
export class Recording {
  /**
   * Dispatches in order.
   *
   * @internal
   */
  readonly dispatches: RecordedDispatch[] = [];
  #peak = 0;
  #actions: HostAction[] = [];
  #conditions: Condition[] = [];
  #subjects = new Set<unknown>();
  #held = new Set<DeviceStorage>();
  #written = new Set<DeviceStorage>();
  #host: DataView<ArrayBuffer> | null = null;
  #buffer: GPUBuffer | null = null;
  #replays: Replay[] = [];
  #next: GPUCommandBuffer | null = null;

  /** Most bytes in use within the step, beside what it was given. */
  get peak(): number {
    return this.#peak;
  }

  /** Storages from outside that the commands bind. */
  get held(): ReadonlySet<DeviceStorage> {
    return this.#held;
  }

  /** Storages that the commands write. */
  get written(): ReadonlySet<DeviceStorage> {
    return this.#written;
  }

  /**
   * Takes a dispatch in, with its packed `params` and the scalars they were packed from, which are not asked again: to
   * ask may move them on.
   *
   * @internal
   */
  add(dispatch: RecordedDispatch, { given, asked }: Scalars): void {
    const index = this.dispatches.push(dispatch) - 1;
    const types = dispatch.program.params;
    let at = 0;
    for (const name in types) {
      const read = given[name];
      if (typeof read === "function") {
        this.#actions.push({ read, name, type: types[name]!, dispatch: index, at, value: asked[name]! });
      }
      at += 4;
    }
  }

  /** Takes in what is to be done at every replay. */
  addEffect(effect: () => void): void {
    this.#actions.push({ effect });
  }

  /** Takes in what must still be so at a replay; once for each `subject`. */
  addCondition(read: () => unknown, value: unknown, subject: unknown): void {
    if (this.#subjects.has(subject)) return;
    this.#subjects.add(subject);
    this.#conditions.push({ read, value });
  }

  /** True while everything that the step depended on is as it was, and none of its tensors from outside was given up. */
  get holds(): boolean {
    if (!this.#conditions.every(({ read, value }) => Object.is(read(), value))) return false;
    for (const { refs, recordings } of this.#held) if (refs === recordings) return false;
    return true;
  }

  /**
   * Ends the recording and holds what its commands bind.
   *
   * @throws {Error} If the step left something behind, gave up what it was given, or changed one of the `inputs`.
   */
  close(reserve: Reserve, inputs: readonly DeviceStorage[]): void {
    if (reserve.live > 0) {
      throw new Error(
        `Cannot record a step as only what it returns may outlive it: got ${reserve.live} bytes left behind ` +
          `(gradients that no optimizer used, or tensors under keep())`,
      );
    }
    for (const { bindings, label, pipeline } of this.dispatches) {
      for (const { binding, storage } of bindingsOf(bindings)) {
        if (storage.owner === reserve) continue;
        const what = `got a tensor of ${storage.bytes} bytes of ${label || pipeline.label}`;
        if (storage.refs === 0) {
          throw new Error(`Cannot record a step as what it was given must outlive it: ${what} that is disposed`);
        }
        if (pipeline.writes.includes(binding) && inputs.includes(storage)) {
          throw new Error(
            `Cannot record a step as it must not change its arguments: ${what}, hold it outside the step instead`,
          );
        }
        if (!this.#held.has(storage)) this.#hold(storage);
        if (pipeline.writes.includes(binding)) this.#written.add(storage);
      }
    }
    this.#peak = reserve.peak;
  }

  /**
   * Makes what a replay needs, once.
   *
   * @internal
   */
  prepare(
    gpu: GPUDevice,
    bind: (dispatch: RecordedDispatch, params: GPUBuffer) => Pick<Replay, "group" | "copies">,
  ): Replay[] {
    if (this.#buffer) return this.#replays;
    const size = Math.max(1, this.dispatches.length) * PARAMS_SLOT;
    const usage = USAGE.UNIFORM | USAGE.COPY_DST;
    const buffer = this.#buffer = gpu.createBuffer({ label: "params of a recording", size, usage });
    const bytes = new Uint8Array(size);
    this.dispatches.forEach(({ params }, i) => params && bytes.set(params, i * PARAMS_SLOT));
    this.#host = new DataView(bytes.buffer);
    gpu.queue.writeBuffer(buffer, 0, bytes);
    this.#replays = this.dispatches.map((dispatch) => ({
      pipeline: dispatch.pipeline.pipeline,
      ...bind(dispatch, buffer),
      workgroups: dispatch.workgroups,
      hasParams: dispatch.params !== null,
    }));
    return this.#replays;
  }

  /**
   * Takes the commands of the next replay, which can be submitted once; null where none were encoded.
   *
   * @internal
   */
  takeNext(): GPUCommandBuffer | null {
    const next = this.#next;
    this.#next = null;
    return next;
  }

  /**
   * Keeps the commands of the next replay, encoded while the device works on the last one.
   *
   * @internal
   */
  keepNext(commands: GPUCommandBuffer): void {
    this.#next = commands;
  }

  /** Repeats what the host did, and writes the scalars that have changed. */
  actOnHost(queue: GPUQueue): void {
    const view = this.#host!;
    const changed = new Set<number>();
    for (const action of this.#actions) {
      if ("effect" in action) {
        action.effect();
        continue;
      }
      const value = action.read();
      if (Object.is(value, action.value)) continue;
      action.value = value;
      const program = this.dispatches[action.dispatch]!.program.name;
      setParam(view, action.dispatch * PARAMS_SLOT + action.at, action.type, value, program, action.name);
      changed.add(action.dispatch);
    }
    for (const dispatch of changed) {
      queue.writeBuffer(this.#buffer!, dispatch * PARAMS_SLOT, view.buffer, dispatch * PARAMS_SLOT, PARAMS_SLOT);
    }
  }

  /** Whether a scalar of a dispatch is asked for at every replay. */
  isLive(dispatch: number, at: number): boolean {
    return this.#actions.some((action) => "read" in action && action.dispatch === dispatch && action.at === at);
  }

  #hold(storage: DeviceStorage): void {
    this.#held.add(storage.retainRecorded());
  }

  /** Gives up what it holds. */
  dispose(): void {
    for (const storage of this.#held) {
      storage.releaseRecorded();
    }
    this.#held.clear();
    this.#written.clear();
    this.#buffer?.destroy();
    this.dispatches.length = 0;
    this.#replays = [];
    this.#next = null;
    this.#actions = [];
    this.#conditions = [];
  }
}

/** Lists what a dispatch binds, in order: storages and where in them. */
export function bindingsOf(bindings: Bindings): { binding: number; storage: DeviceStorage; offset: number }[] {
  return Object.entries(bindings).flatMap(([name, bound]) => {
    if (!bound) return [];
    const binding = Number(name);
    return [bound instanceof DeviceStorage ? { binding, storage: bound, offset: 0 } : { binding, ...bound }];
  });
}
