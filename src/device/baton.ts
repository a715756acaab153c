import { USAGE } from "./usage.ts";

const BYTES = 4;

/**
 * Proof that no submit was dropped: a number in one of two buffers, which each submit moves to the other one. A submit
 * that fails is dropped whole, with the move, so from then on the buffer that should hold the number holds 0. Errors
 * arrive in a later task only; the baton tells of them in the same one.
 */
export class Baton {
  /** Value of the buffer while every submit worked. */
  static readonly HELD = 1;
  /** Bytes of the number. */
  static readonly BYTES = BYTES;
  #gpu: GPUDevice;
  #holder: GPUBuffer;
  #next: GPUBuffer;

  /** Makes a baton on a device. */
  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    const usage = USAGE.COPY_SRC | USAGE.COPY_DST;
    this.#holder = gpu.createBuffer({ label: "baton", size: BYTES, usage });
    this.#next = gpu.createBuffer({ label: "baton", size: BYTES, usage });
    this.renew();
  }

  /** The buffer that should hold the number once all that was submitted is done. */
  get holder(): GPUBuffer {
    return this.#holder;
  }

  /** Moves the number on, as the last command of a submit. */
  pass(encoder: GPUCommandEncoder): void {
    encoder.copyBufferToBuffer(this.#holder, 0, this.#next, 0, BYTES);
    encoder.clearBuffer(this.#holder, 0, BYTES);
    [this.#holder, this.#next] = [this.#next, this.#holder];
  }

  /** Begins again, once an error is known. */
  renew(): void {
    this.#gpu.queue.writeBuffer(this.#holder, 0, Uint32Array.of(Baton.HELD));
  }

  /** Frees the buffers. */
  destroy(): void {
    this.#holder.destroy();
    this.#next.destroy();
  }
}
