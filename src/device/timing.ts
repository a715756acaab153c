import type { AdapterInfo } from "./adapter.ts";
import type { Encoder } from "./encoder.ts";
import { DeviceError } from "./errors.ts";
import { type Profile, Profiler, type ProfilerOptions } from "./profiler.ts";
import type { Running } from "./running.ts";

/** Parts that a device lends to its timing. */
interface Lent {
  readonly gpu: GPUDevice;
  readonly info: AdapterInfo;
  readonly encoder: Encoder;
  readonly running: Running;
  /** Waits until all is done. */
  readonly done: () => Promise<void>;
}

/** Timing of the dispatches of a device. */
export class Timing {
  #lent: Lent;

  /** Starts without a timing. */
  constructor(lent: Lent) {
    this.#lent = lent;
  }

  /**
   * Starts timing; with `shapes`, names tell the shapes.
   *
   * @throws {DeviceError} If the adapter lacks `timestamp-query`.
   */
  start(shapes: boolean, options: ProfilerOptions = {}): void {
    const { gpu, info, encoder, running } = this.#lent;
    if (!gpu.features.has("timestamp-query")) {
      throw new DeviceError(`Cannot profile as ${info.description} lacks the feature timestamp-query`);
    }
    encoder.flush();
    encoder.startProfile(new Profiler(gpu, options));
    running.labelShapes(shapes);
  }

  /** Ends timing and gives what was measured. */
  async stop(): Promise<Profile> {
    const { encoder, running, done } = this.#lent;
    await done();
    running.labelShapes(false);
    return await encoder.takeProfile();
  }

  /** Milliseconds of each piece of work as a whole. */
  async each(pieces: readonly (() => void)[]): Promise<number[]> {
    this.start(false, { groups: true });
    pieces.forEach((piece, i) => this.#lent.running.runGroup(`${i}`, piece));
    const times = new Map((await this.stop()).rows.map(({ name, milliseconds }) => [name, milliseconds]));
    return pieces.map((_, i) => times.get(`${i}`) ?? 0);
  }
}
