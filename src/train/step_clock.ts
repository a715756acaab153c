import type { Device } from "../device/mod.ts";

/** Work that may wait on the device, in milliseconds: more would delay Ctrl-C and fill queues, less would cost waits. */
const MOST_AHEAD = 250;
/** Signals and timers get their turn after this time, in milliseconds. */
const TURN = 50;

/** Keeps the host from encoding far ahead of the device, without a wait a step where steps are short. */
export class Throttle {
  #device: Device;
  #steps = 0;
  #millisecondsAStep = Infinity;
  #since = performance.now();
  #turn = performance.now();

  /** Prepares to throttle the steps on a device. */
  constructor(device: Device) {
    this.#device = device;
  }

  /** Counts a step that was encoded; waits when too much is under way. */
  async stepped(): Promise<void> {
    this.#steps++;
    if (this.#steps * this.#millisecondsAStep > MOST_AHEAD) {
      await this.#device.done();
      this.waited();
    }
    if (performance.now() - this.#turn < TURN) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#turn = performance.now();
  }

  /** Notes that the device has done everything for another reason, such as a read-back. */
  waited(): void {
    const now = performance.now();
    if (this.#steps > 0) this.#millisecondsAStep = (now - this.#since) / this.#steps;
    this.#since = now;
    this.#steps = 0;
  }
}

/** Adds up where the time of steps goes. */
export class StepProfile {
  #totals = new Map<string, number>();
  #part: { name: string; start: number } | null = null;
  #steps = 0;

  /** Steps timed. */
  get steps(): number {
    return this.#steps;
  }

  /** Milliseconds a step of each part, in order of appearance. */
  get perStep(): Map<string, number> {
    return new Map([...this.#totals].map(([name, total]) => [name, total / Math.max(1, this.#steps)]));
  }

  /** Starts a part of a step. */
  begin(name: string): void {
    this.#part = { name, start: performance.now() };
  }

  /** Ends the part when the device has done it. */
  async end(device: Device): Promise<void> {
    if (!this.#part) return;
    const { name, start } = this.#part;
    this.#part = null;
    await device.done();
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + performance.now() - start);
    if (name === "optimiser") this.#steps++;
  }
}

/** Measures samples a second. */
export class Clock {
  #start = performance.now();
  #last = this.#start;
  #samples = 0;

  /** Takes note of samples. */
  count(samples: number): void {
    this.#samples += samples;
  }

  /** The rate since the last call, and seconds since the start. */
  read(): { images_per_second: number; seconds: number } {
    const now = performance.now();
    const images_per_second = 1000 * this.#samples / (now - this.#last);
    this.#samples = 0;
    this.#last = now;
    return { images_per_second, seconds: (now - this.#start) / 1000 };
  }
}
