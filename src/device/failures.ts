import { DeviceError, type DeviceErrorDetails } from "./errors.ts";

/** What went wrong on a device: errors arrive after the calls that made them, and are thrown at the next check. */
export class Failures {
  /** Set once the device is gone: every check then throws it. */
  lost: DeviceError | null = null;
  /** Set when the device is closed on purpose: that it is lost then is no failure. */
  closed = false;
  #gpu: GPUDevice;
  #error: DeviceError | null = null;
  #checks = new Set<Promise<void>>();

  /** Listens to a device; `details` tells what is running now. */
  constructor(gpu: GPUDevice, details: () => DeviceErrorDetails) {
    this.#gpu = gpu;
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as unknown as GPUUncapturedErrorEvent).error;
      this.#failAfterScopes(new DeviceError(`Cannot run on the device: ${message}`, details()));
    });
    gpu.lost.then(({ reason, message }) => {
      if (this.closed) return;
      this.lost = new DeviceError(`Cannot go on as the device was lost: ${message || reason}`, details());
    });
  }

  /** Makes something whose error arrives later; `what` and `details` then still say what was going on. */
  watch<T>(filter: GPUErrorFilter, what: string, details: DeviceErrorDetails, make: () => T): T {
    this.#gpu.pushErrorScope(filter);
    const made = make();
    const check = this.#gpu.popErrorScope().then((error) => {
      if (error) this.fail(new DeviceError(`${what}: ${error.message}`, details));
    });
    this.wait(check);
    return made;
  }

  /** Takes an error that no scope caught. Dawn tells it before that of an open scope, which tells its cause. */
  #failAfterScopes(error: DeviceError): void {
    if (this.#checks.size === 0) this.fail(error);
    else this.wait(Promise.all(this.#checks).then(() => this.fail(error)));
  }

  /** Takes an error; of several, the first is thrown. */
  fail(error: DeviceError): void {
    this.#error ??= error;
  }

  /** Is told of an error scope that is still open. */
  wait(check: Promise<void>): void {
    this.#checks.add(check);
    check.finally(() => this.#checks.delete(check));
  }

  /** Waits for the open error scopes; after a failure also until the GPU is `idle`, so that what it drags behind is dropped. */
  async settle(idle: () => Promise<unknown>): Promise<void> {
    while (this.#checks.size > 0) await Promise.all(this.#checks);
    const error = this.#error;
    if (!error || this.lost) return;
    await idle();
    this.#error = error;
  }

  /** Throws what went wrong since the last check. */
  check(): void {
    if (this.lost) throw this.lost;
    const error = this.#error;
    if (!error) return;
    this.#error = null;
    throw error;
  }
}
