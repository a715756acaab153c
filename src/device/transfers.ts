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
  /** Serial of the last submit that is known to be done, and all before it, without an error. */
  #sound = -1;

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
    const staging = this.#staging.take(size, this.#reader() !== null);
    encoder.copy(storage, offset, staging, size);
    const [{ serial }, { writtenBy }] = [encoder, storage];
    await null; // reads that are asked for at once go with one submit
    encoder.flush();
    await this.#settle();
    try {
      const result = await this.#staging.read(staging, bytes, this.#waitUntil(serial));
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
    if (!this.#waitUntil(latest)) await gpu.queue.onSubmittedWorkDone();
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
    const result = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes, 0));
    return this.#atOnce((reader) => reader.read(parts, result)) ? result : null;
  }

  /**
   * Waits within the call until a submit is done, and tells whether it is: false where the runtime cannot, or something
   * failed before, as what an error drags behind arrives in later tasks. Deno would settle the promise of a mapping, or of
   * the queue, 10 ms later.
   */
  #waitUntil(serial: number): boolean {
    const { encoder: { latest }, failures } = this.#lent;
    if (failures.hasDoubts) return false;
    if (serial <= this.#sound) return true;
    if (!this.#atOnce((reader) => reader.wait())) return false;
    this.#sound = latest;
    return true;
  }

  /** Lets a reader work that does not wait for a later task; false where there is none, or something failed. */
  #atOnce(work: (reader: SyncReader) => void): boolean {
    if (this.#lent.failures.pending) return false;
    try {
      const reader = this.#reader();
      if (reader) work(reader);
      return reader !== null;
    } catch (error) {
      if (error instanceof DeviceError) return false;
      throw error;
    }
  }

  /** The reader for texts, opened once; null where the runtime has none. */
  #reader(): SyncReader | null {
    if (this.#peeker !== undefined) return this.#peeker;
    try {
      return this.#peeker = this.openSyncReader(PEEK_BYTES, () => {});
    } catch {
      this.#lent.encoder.dropBaton();
      return this.#peeker = null;
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

  /** A free buffer of at least so many bytes, which was mapped before where `mapped` says so: see {@linkcode SyncReader}. */
  take(bytes: number, mapped: boolean): GPUBuffer {
    this.#taken++;
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
    const free = this.#free.get(size)?.pop();
    if (free) {
      this.#waiting -= size;
      return free;
    }
    this.#created++;
    const usage = USAGE.MAP_READ | USAGE.COPY_DST;
    const buffer = this.#gpu.createBuffer({ size, usage, mappedAtCreation: mapped });
    if (mapped) buffer.unmap();
    return buffer;
  }

  /** Maps a buffer, at once where what was submitted is `done`, copies its first bytes and takes it back. */
  async read(buffer: GPUBuffer, bytes: number, done: boolean): Promise<ArrayBuffer> {
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const mapping = buffer.mapAsync(MAP_READ, 0, size);
    if (done) mapping.catch(() => {}); // a failure shows in getMappedRange()
    else await mapping;
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
