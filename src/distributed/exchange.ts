import type { Device, SyncReader } from "../device/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import type { Communicator } from "./communicator.ts";

/** Bytes that move from the device at once. */
const READER_BYTES = 2 ** 24;

/**
 * Collectives on tensors of a device. A call returns when the result is on its way to the device, so it can be part of a
 * forward or backward pass; it waits for the device and for the other ranks.
 */
export class Exchange {
  /** The ranks. */
  readonly group: Communicator;
  /** Moves bytes to the host. */
  readonly reader: SyncReader;

  private constructor(group: Communicator, reader: SyncReader) {
    this.group = group;
    this.reader = reader;
  }

  /** Opens exchanges between the tensors of a device and those of other ranks. */
  static async open(group: Communicator, device: Device): Promise<Exchange> {
    return new Exchange(group, await device.openSyncReader(READER_BYTES));
  }

  /**
   * The rows of all ranks, in their order; outside any graph.
   *
   * @param x `[rows, …]` of four-byte elements; all ranks have the same shape but for the rows.
   * @param counts Rows of each rank; those of `x` by default.
   * @returns `[sum of counts, …]`, the same on all ranks.
   */
  gather(x: Tensor, counts?: readonly number[]): Tensor {
    const rows = counts ?? new Array<number>(this.group.size).fill(x.shape[0]!);
    const rowBytes = x.bytes / x.shape[0]!;
    const longest = Math.max(...rows) * rowBytes;
    const own = new Uint8Array(new ArrayBuffer(longest));
    this.reader.read([{ storage: x.storage, bytes: x.bytes }], own.subarray(0, x.bytes));
    const padded = this.group.allGather(own);
    const parts = rows.map((count, r) => padded.subarray(r * longest, r * longest + count * rowBytes));
    const all = new Tensor(x.device, [rows.reduce((a, b) => a + b), ...x.shape.slice(1)], { dtype: x.dtype });
    const { buffer, byteOffset, byteLength } = rows.every((count) => count === rows[0]) ? padded : joined(parts);
    all.write(new DataView(buffer, byteOffset, byteLength));
    return all;
  }

  /** Sums over all ranks, of f32 tensors, outside any graph; one exchange for all of them. */
  sum(tensors: readonly Tensor[]): Tensor[] {
    const host = new Float32Array(new ArrayBuffer(tensors.reduce((sum, { bytes }) => sum + bytes, 0)));
    this.reader.read(tensors, new Uint8Array(host.buffer));
    this.group.allReduce(host);
    let at = 0;
    return tensors.map(({ device, shape, size }) => {
      const total = new Tensor(device, shape);
      total.write(host.subarray(at, at += size));
      return total;
    });
  }

  /** Frees what it holds. */
  dispose(): void {
    this.reader.dispose();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
