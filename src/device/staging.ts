import { MAP_READ, USAGE } from "./usage.ts";

/** Bytes that wait for use again at most: many results that are read at once, as for a checkpoint, need not stay. */
const MOST_BYTES = 2 ** 25;

/** Buffers that results are read back through, by size, for use again. */
export class Staging {
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
export function writeBytes(queue: GPUQueue, buffer: GPUBuffer, data: ArrayBufferView, offset: number): void {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const whole = bytes.length & ~3;
  if (whole > 0) queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (whole === bytes.length) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  queue.writeBuffer(buffer, offset + whole, tail);
}
