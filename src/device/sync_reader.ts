import { Baton } from "./baton.ts";
import { DeviceError } from "./errors.ts";
import type { DeviceStorage } from "./storage.ts";
import { MAP_READ, USAGE } from "./usage.ts";

/** Bytes of a storage to read. */
export interface ReadPart {
  /** Storage of the bytes to read. */
  readonly storage: DeviceStorage;
  /** Number of bytes; a multiple of 4. */
  readonly bytes: number;
  /** First byte; a multiple of 4, 0 by default. */
  readonly offset?: number;
}

/** A stretch of a part that fits into the staging buffer. */
interface Piece {
  readonly buffer: GPUBuffer;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/**
 * Reads bytes back while the caller waits: for exchanges between processes in the midst of a forward or backward pass, for
 * `console.log`, and for small results, which are there 10 ms earlier.
 *
 * WebGPU maps buffers asynchronously. Deno, however, waits for the GPU within the call of `mapAsync` (its promise is
 * settled 10 ms later): from the second mapping of a buffer on, `getMappedRange` gives the bytes as soon as that call has
 * returned. So the staging buffer is mapped once when it is made. Elsewhere `getMappedRange` throws, and the reader is
 * refused.
 */
export class SyncReader {
  #gpu: GPUDevice;
  #staging: GPUBuffer;
  #baton: { readonly holder: GPUBuffer };
  #flush: (parts: readonly ReadPart[]) => void;

  private constructor(
    gpu: GPUDevice,
    staging: GPUBuffer,
    baton: { readonly holder: GPUBuffer },
    flush: (parts: readonly ReadPart[]) => void,
  ) {
    this.#gpu = gpu;
    this.#staging = staging;
    this.#baton = baton;
    this.#flush = flush;
  }

  /**
   * Makes a reader that moves up to `bytes` at once; `flush` submits what was encoded, and throws where what the parts
   * hold is not known. The baton, which every submit passes on, tells of failures that are reported later.
   *
   * @throws {DeviceError} If the runtime cannot read while the caller waits.
   */
  static open(
    gpu: GPUDevice,
    bytes: number,
    baton: { readonly holder: GPUBuffer },
    flush: (parts: readonly ReadPart[]) => void,
  ): SyncReader {
    const size = Math.ceil(bytes / 4) * 4 + Baton.BYTES;
    const usage = USAGE.MAP_READ | USAGE.COPY_DST;
    const staging = gpu.createBuffer({ label: "synchronous read", size, usage, mappedAtCreation: true });
    staging.unmap();
    staging.mapAsync(MAP_READ).catch(() => {}); // ends with the buffer where the reader is refused
    try {
      staging.getMappedRange();
    } catch (cause) {
      staging.destroy();
      throw new DeviceError("Cannot open a reader that does not wait as this runtime maps buffers only between tasks", {
        cause,
      });
    }
    staging.unmap();
    return new SyncReader(gpu, staging, baton, flush);
  }

  /**
   * Reads parts one after the other into `target`, which they must fill; everything encoded so far is done then.
   *
   * @throws {DeviceError} If the runtime cannot, or an operation before it failed.
   */
  read(parts: readonly ReadPart[], target: Uint8Array): void {
    this.#flush(parts);
    let done = 0;
    for (const pieces of this.#loads(parts)) done += this.#move(pieces, target, done);
    if (done !== target.length) {
      throw new RangeError(`Cannot read() as the parts must fill the target: got ${done} for ${target.length} bytes`);
    }
  }

  /**
   * Waits until everything encoded so far is done.
   *
   * @throws {DeviceError} If the runtime cannot, or an operation failed.
   */
  wait(): void {
    this.#flush([]);
    this.#move([], new Uint8Array(), 0);
  }

  /** Frees the staging buffer. */
  dispose(): void {
    this.#staging.destroy();
  }

  /** Splits parts into loads of the staging buffer. */
  *#loads(parts: readonly ReadPart[]): Generator<Piece[]> {
    const room = this.#staging.size - Baton.BYTES;
    let load: Piece[] = [];
    let to = 0;
    for (const { storage, bytes, offset = 0 } of parts) {
      for (let from = offset, end = offset + bytes; from < end;) {
        const piece = { buffer: storage.block.buffer, from, to, bytes: Math.min(end - from, room - to) };
        load.push(piece);
        from += piece.bytes;
        to += piece.bytes;
        if (to < room) continue;
        yield load;
        load = [];
        to = 0;
      }
    }
    if (to > 0) yield load;
  }

  #move(pieces: readonly Piece[], target: Uint8Array, at: number): number {
    const encoder = this.#gpu.createCommandEncoder({ label: "synchronous read" });
    for (const { buffer, from, to, bytes } of pieces) {
      encoder.copyBufferToBuffer(buffer, from, this.#staging, to, bytes);
    }
    const end = this.#staging.size - Baton.BYTES;
    encoder.copyBufferToBuffer(this.#baton.holder, 0, this.#staging, end, Baton.BYTES);
    this.#gpu.queue.submit([encoder.finish()]);
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    this.#staging.mapAsync(MAP_READ).catch(() => {}); // a failure shows in getMappedRange()
    const mapped = new Uint8Array(this.#mapped());
    const worked = new DataView(mapped.buffer).getUint32(end, true) === Baton.HELD;
    if (worked && at + bytes <= target.length) target.set(mapped.subarray(0, bytes), at);
    this.#staging.unmap();
    if (!worked) throw failed();
    return bytes;
  }

  #mapped(): ArrayBuffer {
    try {
      return this.#staging.getMappedRange();
    } catch (cause) {
      throw failed(cause);
    }
  }
}

function failed(cause?: unknown): DeviceError {
  return new DeviceError("Cannot read a result back as an operation before it failed", { cause });
}
