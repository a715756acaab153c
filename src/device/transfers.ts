import type { Encoder } from "./encoder.ts";
import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import type { Failures } from "./failures.ts";
import type { DeviceStorage } from "./storage.ts";
import { type ReadPart, SyncReader } from "./sync_reader.ts";
import { MAP_READ, USAGE } from "./usage.ts";

/** Bytes that are read at once for a text. */
const PEEK_BYTES = 1 << 14;

/** Parts that a device lends to its transfers. */
interface Lent {
  readonly gpu: GPUDevice;
  readonly encoder: Encoder;
  readonly failures: Failures;
  readonly details: () => DeviceErrorDetails;
}

/** Transfers between host and device. Methods that wait for the device throw earlier errors. */
export class Transfers {
  #lent: Lent;
  #staging: Staging;
  #peeker: SyncReader | null | undefined;

  /** Starts without a transfer. */
  constructor(lent: Lent) {
    this.#lent = lent;
    this.#staging = new Staging(lent.gpu);
  }

  /** Buffers created so far. */
  get created(): number {
    return this.#staging.created;
  }

  /** Results that were read back. */
  get reads(): number {
    return this.#staging.taken;
  }

  /** Destroys the buffers that are free. */
  trim(): void {
    this.#staging.trim();
  }

  /** Writes bytes into a storage; submits first when an encoded command still uses it. */
  write(storage: DeviceStorage, data: ArrayBufferView, offset: number): void {
    const { gpu, encoder } = this.#lent;
    if (encoder.uses(storage.block)) encoder.flush();
    writeBytes(gpu.queue, storage.block.buffer, data, offset);
    const whole = offset === 0 && data.byteLength + 16 > storage.bytes;
    storage.wrote(whole ? -1 : storage.writtenBy);
  }

  /** Reads bytes of a storage back; see `Device.read`. */
  async read(storage: DeviceStorage, bytes: number, offset: number): Promise<ArrayBuffer> {
    const { encoder, failures, details } = this.#lent;
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const staging = this.#staging.take(size);
    encoder.copy(storage, offset, staging, size);
    const [{ serial }, { writtenBy }] = [encoder, storage];
    await null; // reads that are asked for at once go with one submit
    encoder.flush();
    await this.#settle();
    try {
      const result = await this.#staging.read(staging, bytes);
      failures.check();
      failures.checkDone(serial, writtenBy);
      failures.worked(serial);
      return result;
    } catch (cause) {
      if (cause instanceof DeviceError) throw cause;
      await Promise.resolve();
      failures.check();
      throw new DeviceError("Cannot read a result back", { ...details(), cause });
    }
  }

  /** Submits what was encoded and waits until the GPU has done it. */
  async done(): Promise<void> {
    const { gpu, encoder, failures } = this.#lent;
    const [{ count }, waiting] = [failures, !encoder.idle];
    encoder.flush();
    const { latest } = encoder;
    await this.#settle();
    await gpu.queue.onSubmittedWorkDone();
    failures.check();
    if (waiting || failures.count > count) failures.checkDone(latest);
    failures.worked(latest);
  }

  /** Submits what was encoded and waits for the queue, whatever went wrong. */
  async idle(): Promise<void> {
    const { gpu, encoder } = this.#lent;
    encoder.flush();
    await gpu.queue.onSubmittedWorkDone();
  }

  /** Opens a reader of up to `bytes` bytes; `permit` throws where it may not read, and what to do then. */
  openSyncReader(bytes: number, permit: (instead: string) => void): SyncReader {
    const { gpu, encoder, failures } = this.#lent;
    return SyncReader.open(gpu, bytes, encoder.carryBaton(), (parts) => {
      permit("run steps that exchange with other processes without compile()");
      failures.check();
      encoder.flush();
      failures.checkDone(...parts.map(({ storage }) => storage.writtenBy));
    });
  }

  /**
   * Reads parts at once, for a text; null where the runtime cannot, or something failed. What failed is left for what
   * comes next to throw.
   */
  peek(parts: readonly ReadPart[]): Uint8Array<ArrayBuffer> | null {
    if (this.#lent.failures.pending || this.#peeker === null) return null;
    const result = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes, 0));
    try {
      this.#peeker ??= this.#openPeeker();
      this.#peeker?.read(parts, result);
    } catch (error) {
      if (error instanceof DeviceError) return null;
      throw error;
    }
    return this.#peeker && result;
  }

  /** Opens the reader for texts once; null where there is none. */
  #openPeeker(): SyncReader | null {
    try {
      return this.openSyncReader(PEEK_BYTES, () => {});
    } catch {
      return null;
    }
  }

  async #settle(): Promise<void> {
    const { gpu, failures } = this.#lent;
    await failures.settle(() => gpu.queue.onSubmittedWorkDone());
    failures.check();
  }
}

/** Bytes that wait for use again at most: many results that are read at once, as for a checkpoint, need not stay. */
const MOST_BYTES = 2 ** 25;

/** Buffers that results are read back through, by size, for use again. */
class Staging {
  #gpu: GPUDevice;
  #waiting = 0;
  #free = new Map<number, GPUBuffer[]>();
  #created = 0;
  #taken = 0;

  /** Makes them on this device. */
  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Buffers created so far. */
  get created(): number {
    return this.#created;
  }

  /** Results that were read back through them. */
  get taken(): number {
    return this.#taken;
  }

  /** A free buffer of at least so many bytes. */
  take(bytes: number): GPUBuffer {
    this.#taken++;
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
    const free = this.#free.get(size)?.pop();
    if (free) {
      this.#waiting -= size;
      return free;
    }
    this.#created++;
    return this.#gpu.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST });
  }

  /** Maps a buffer, copies its first bytes and takes it back. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    await buffer.mapAsync(MAP_READ, 0, size);
    const result = buffer.getMappedRange(0, size).slice(0, bytes);
    buffer.unmap();
    this.#giveBack(buffer);
    return result;
  }

  #giveBack(buffer: GPUBuffer): void {
    if (this.#waiting + buffer.size > MOST_BYTES) return buffer.destroy();
    this.#waiting += buffer.size;
    const free = this.#free.get(buffer.size);
    if (free) free.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Destroys the free ones. */
  trim(): void {
    for (const buffers of this.#free.values()) for (const buffer of buffers) buffer.destroy();
    this.#free.clear();
    this.#waiting = 0;
  }
}

/** Writes any number of bytes: the queue takes multiples of four, so the last ones go in a word of their own. */
function writeBytes(queue: GPUQueue, buffer: GPUBuffer, data: ArrayBufferView, offset: number): void {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const whole = bytes.length & ~3;
  if (whole > 0) queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (whole === bytes.length) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  queue.writeBuffer(buffer, offset + whole, tail);
}
