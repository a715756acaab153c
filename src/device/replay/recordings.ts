import { type Failures, noteWrites } from "../failures.ts";
import { Reserve } from "../blocks.ts";
import type { BufferPool } from "../pool.ts";
import type { DeviceStorage } from "../storage.ts";
import type { Encoder } from "../encoder.ts";
import { bindingsOf, Recording } from "./recording.ts";

/** Recordings of the device on which a step is being recorded. */
let underWay: Recordings | null = null;

/**
 * Records the commands of a step and replays them: WebGPU has no command buffer that can be submitted twice, but putting
 * recorded commands into a pass again takes a few microseconds each, where making them anew takes tens; and it is done
 * for the next replay while the device works on the last.
 *
 * A recording is a list of dispatches with their buffers and `Params`. So what a step does on the host is lost on replay
 * unless it goes through here: {@linkcode Recordings.repeat} for effects, {@linkcode Recordings.depend} for state that
 * decides what is dispatched, and functions as `params` for numbers that change.
 *
 * @example A step that counts, and that has a mode
 * ```ts
 * import { compile, Device, mul, ones } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using device = await Device.open();
 * const x = ones([1]);
 * const state = { calls: 0, training: true };
 * const step = compile(() => {
 *   device.recordings.repeat(() => state.calls++);
 *   return mul(x, device.recordings.depend(() => state.training, state) ? 2 : 3);
 * }, { check: "never" });
 * for (let i = 0; i < 8; i++) {
 *   state.training = i < 6;
 *   assertEquals(await step().item(), state.training ? 2 : 3);
 * }
 * assertEquals(state.calls, 8);
 * assertEquals(step.replays, 3);
 * ```
 */
export class Recordings {
  #gpu: GPUDevice;
  #pool: BufferPool;
  #encoder: Encoder;
  #failures: Failures;
  #withoutEffects = false;
  #age = 0;

  /** Constructor for the device. */
  constructor(gpu: GPUDevice, pool: BufferPool, encoder: Encoder, failures: Failures) {
    this.#gpu = gpu;
    this.#pool = pool;
    this.#encoder = encoder;
    this.#failures = failures;
  }

  /** True while a step is recorded. */
  get active(): boolean {
    return this.#encoder.recording !== null;
  }

  /** True while work is rehearsed: what is made then has no elements. */
  get rehearses(): boolean {
    return this.#withoutEffects;
  }

  /** True when every dispatch is timed on its own: steps are then not replayed. */
  get paused(): boolean {
    return this.#encoder.profiles;
  }

  /** A set of blocks for the recordings of one owner, which never run at the same time. */
  openReserve(): Reserve {
    return new Reserve();
  }

  /** Gives the blocks of a reserve that none of its remaining recordings binds to all. */
  shrink(reserve: Reserve, remaining: readonly Recording[]): void {
    const bound = remaining.flatMap(({ dispatches }) => dispatches.flatMap(({ bindings }) => bindingsOf(bindings)));
    this.#pool.shrink(reserve, new Set(bound.map(({ storage }) => storage.block)));
  }

  /** Gives the blocks of a reserve to all; its recordings must be disposed before. */
  dissolve(reserve: Reserve): void {
    this.#pool.dissolve(reserve);
  }

  /**
   * Runs a step and records what it dispatches.
   *
   * @param reserve Where the step's storages come from.
   * @param inputs What the step may read only.
   * @throws {Error} If the step uploads, reads back, leaves something behind, changes an input, or runs on another device.
   */
  record(reserve: Reserve, inputs: readonly DeviceStorage[], step: () => void): Recording {
    if (underWay) throw new Error("Cannot record a step within another");
    const recording = new Recording();
    recording.addCondition(() => this.#failures.count, this.#failures.count, this.#failures); // what failed is recorded anew
    recording.addCondition(() => this.#age, this.#age, this);
    underWay = this;
    try {
      this.#encoder.recordInto(recording, () => this.#pool.into(reserve, step));
      recording.close(reserve, inputs);
    } catch (error) {
      recording.dispose();
      throw error;
    } finally {
      underWay = null;
    }
    return recording;
  }

  /** Runs `body`, within a step, with storages that outlive it. */
  outside<T>(body: () => T): T {
    return this.#pool.into(null, body);
  }

  /**
   * Repeats what the host did and submits the commands of a recording; then encodes those of its next replay, which need
   * not keep the device waiting.
   */
  replay(recording: Recording): void {
    this.#failures.check();
    const replays = recording.prepare(this.#gpu, (dispatch, params) => this.#encoder.bind(dispatch, params));
    recording.actOnHost(this.#gpu.queue);
    this.#pool.touch(recording.peak);
    this.#noteWrites(recording);
    this.#encoder.replay(recording.takeNext() ?? this.#encoder.encode(replays), replays.length);
    recording.keepNext(this.#encoder.encode(replays));
  }

  #noteWrites({ dispatches, written }: Recording): void {
    const { serial } = this.#encoder;
    if (!this.#failures.hasDoubts) { for (const storage of written) storage.wrote(serial); }
    else for (const { pipeline, bindings } of dispatches) noteWrites(pipeline, bindings, serial, this.#failures);
  }

  /** Runs something on the host now, and again whenever the step that is being recorded is replayed. */
  repeat(effect: () => void): void {
    if (this.#withoutEffects) return;
    effect();
    this.#encoder.recording?.addEffect(effect);
  }

  /** Runs `body` without what it would do on the host by {@linkcode Recordings.repeat}, as for a rehearsal. */
  withoutEffects(body: () => void): void {
    const before = this.#withoutEffects;
    this.#withoutEffects = true;
    try {
      body();
    } finally {
      this.#withoutEffects = before;
    }
  }

  /**
   * Reads state of the host that decides what is dispatched: a step whose state has changed is not replayed.
   *
   * @param subject Whose state it is; asked for once a recording.
   */
  depend<T>(read: () => T, subject: unknown): T {
    const value = read();
    this.#encoder.recording?.addCondition(read, value, subject);
    return value;
  }

  /** Has every step recorded anew, after a change that concerns all of them, such as of forms. */
  outdate(): void {
    this.#age++;
  }

  /**
   * Checks, for every dispatch, that no step is being recorded on another device.
   *
   * @throws {Error} If a step is being recorded on another device, which would miss it.
   */
  checkDevice(): void {
    if (underWay === null || underWay === this) return;
    throw new Error(
      "Cannot record a step as it must stay on one device: got a dispatch on another, name it in options",
    );
  }

  /**
   * Says that something cannot be part of a recorded step.
   *
   * @throws {Error} If a step is being recorded.
   */
  refuse(what: string, instead: string): void {
    if (this.active) throw new Error(`Cannot record a step as it must not ${what}: ${instead}`);
  }
}
