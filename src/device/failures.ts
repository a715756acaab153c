import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import type { Bindings } from "./dispatch.ts";
import type { DeviceStorage } from "./storage.ts";

/** Submits that may have been dropped: what they wrote is not known. */
interface Doubt {
  readonly from: number;
  readonly to: number;
  readonly error: DeviceError;
}

/** Source of submits: what submits commands. */
interface Submits {
  /** Serial of the last submit that has commands. */
  readonly latest: number;
  /** Takes note that an error is known. */
  renewBaton(): void;
}

/** Most ranges of submits that are told apart. */
const MOST_DOUBTS = 16;

/**
 * Failures of a device: errors arrive after the calls that made them, and are thrown at the next check. A submit
 * that fails is dropped whole, and which one it was is not said: all that was written since the last one that is known
 * to have worked is in doubt from then on, and so is what is computed from it.
 */
export class Failures {
  #lost: DeviceError | null = null;
  #closed = false;
  #count = 0;
  #gpu: GPUDevice;
  #details: () => DeviceErrorDetails;
  #encoder: () => Submits;
  #error: DeviceError | null = null;
  #checks = new Set<Promise<void>>();
  #allChecks: Promise<unknown> | null = null;
  #known = 0;
  #doubts: Doubt[] = [];

  /** Listens to a device; `details` tells what is running now. */
  constructor(gpu: GPUDevice, details: () => DeviceErrorDetails, encoder: () => Submits) {
    this.#gpu = gpu;
    this.#details = details;
    this.#encoder = encoder;
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as unknown as GPUUncapturedErrorEvent).error;
      this.#failAfterScopes(new DeviceError(`Cannot run on the device: ${message}`, details()));
    });
    gpu.lost.then(({ reason, message }) => {
      if (this.#closed) return;
      this.#lost = new DeviceError(`Cannot go on as the device was lost: ${message || reason}`, details());
    });
  }

  /** Error that ended the device: every check throws it from then on. */
  get lost(): DeviceError | null {
    return this.#lost;
  }

  /** Whether the next check throws. */
  get pending(): boolean {
    return this.#lost !== null || this.#error !== null;
  }

  /** Errors so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether the device was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Notes that the device is closed on purpose: its loss is then no failure. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Makes something whose error arrives later; `what` and `details` then still say what was going on. A function in place
   * of `what` is called before the error is reported.
   */
  watch<T>(filter: GPUErrorFilter, what: string | (() => string), details: DeviceErrorDetails, make: () => T): T {
    return this.scoped(filter, make, (error) => {
      const message = typeof what === "string" ? what : what();
      this.fail(new DeviceError(`${message}: ${error.message}`, details));
    });
  }

  /**
   * Makes something in an error scope. The scope ends also where `make` throws: one that stays open takes in what goes
   * wrong from then on, and every read gives zeros.
   */
  scoped<T>(filter: GPUErrorFilter, make: () => T, report: (error: GPUError) => void | Promise<void>): T {
    this.#gpu.pushErrorScope(filter);
    try {
      return make();
    } finally {
      this.wait(this.#gpu.popErrorScope().then((error) => error ? report(error) : undefined));
    }
  }

  /** Takes an error that no scope caught. Dawn tells it before that of an open scope, which tells its cause. */
  #failAfterScopes(error: DeviceError): void {
    if (this.#checks.size === 0) this.fail(error);
    else this.wait(Promise.all(this.#checks).then(() => this.fail(error)));
  }

  /** Takes an error; of several, the first is thrown. */
  fail(error: DeviceError): void {
    this.#error ??= error;
    this.#count++;
    if (!this.#closed) this.#encoder().renewBaton();
    const to = this.#encoder().latest;
    if (to < this.#known) return; // what an error drags behind
    this.#doubts.push({ from: this.#known, to, error: this.#error });
    this.#known = to + 1;
    if (this.#doubts.length <= MOST_DOUBTS) return;
    const [first, second] = this.#doubts.splice(0, 2) as [Doubt, Doubt];
    this.#doubts.unshift({ ...second, from: first.from });
  }

  /** Notes that a submit, and so all before it, worked. */
  worked(serial: number): void {
    this.#known = Math.max(this.#known, serial + 1);
  }

  /** Throws what went wrong where a submit, or the last one that wrote a storage, is in doubt. */
  checkDone(...serials: number[]): void {
    const doubt = this.#doubts.find(({ from, to }) => serials.some((serial) => serial >= from && serial <= to));
    if (doubt) throw doubt.error;
  }

  /** Whether any submit is in doubt. */
  get hasDoubts(): boolean {
    return this.#doubts.length > 0;
  }

  /** Serial of a submit in doubt that wrote one of the storages; null where there is none. */
  doubtIn(storages: Iterable<DeviceStorage>): number | null {
    for (const { writtenBy } of storages) {
      if (this.#doubts.some(({ from, to }) => writtenBy >= from && writtenBy <= to)) return writtenBy;
    }
    return null;
  }

  /** Takes in an error scope that is still open. */
  wait(check: Promise<void>): void {
    this.#checks.add(check);
    check.finally(() => this.#checks.delete(check));
  }

  /** Waits for the open error scopes; after a failure also until the GPU is `idle`, so that what it drags behind is dropped. */
  async settle(idle: () => Promise<unknown>): Promise<void> {
    while (this.#checks.size > 0) await this.#nextChecks();
    const error = this.#error;
    if (!error || this.#lost) return;
    await idle();
    this.#error = error;
  }

  /** Waits for those open now, with one promise for all: many reads at once would else wait for each of as many scopes. */
  #nextChecks(): Promise<unknown> {
    return this.#allChecks ??= Promise.all(this.#checks).finally(() => this.#allChecks = null);
  }

  /** Throws what went wrong since the last check, and always where the device is closed or lost. */
  check(): void {
    if (this.#closed) throw new DeviceError("Cannot use a closed device", this.#details());
    if (this.#lost) throw this.#lost;
    const error = this.#error;
    if (!error) return;
    this.#error = null;
    throw error;
  }
}

/** Takes note of what a dispatch writes with a submit; it is as much in doubt as all that the dispatch binds. */
export function noteWrites(
  { writes }: { readonly writes: readonly number[] },
  bindings: Bindings,
  serial: number,
  failures: Failures,
): void {
  const known = failures.hasDoubts ? failures.doubtIn(storagesOf(bindings)) ?? serial : serial;
  for (const binding of writes) {
    const bound = bindings[binding]!;
    ("storage" in bound ? bound.storage : bound).wrote(known);
  }
}

function* storagesOf(bindings: Bindings): Generator<DeviceStorage> {
  for (const binding in bindings) {
    const bound = bindings[binding];
    if (bound) yield "storage" in bound ? bound.storage : bound;
  }
}
