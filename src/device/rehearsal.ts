import type { Device } from "./device.ts";
import type { MemoryUsage } from "./pool.ts";

/**
 * Runs `body` without the GPU: tensors that it makes have shapes but no elements, dispatches and writes do nothing. So it
 * is known in a moment whether work on some shapes stays within an adapter's limits, and what memory it takes.
 *
 * @param body What to do; it must not wait, and what it makes must not be used afterwards.
 * @returns Bytes in use at its end, and their peak.
 * @throws {DeviceError} If something exceeds what the adapter binds or dispatches at once.
 *
 * @example Usage
 * ```ts
 * import { Device, DeviceError, matmul, scope, zeros } from "@decoupled/uniformity";
 * import { rehearse } from "@decoupled/uniformity/device";
 * import { assertThrows } from "@std/assert";
 *
 * await using device = await Device.open();
 * const product = (n: number) => {
 *   using _ = scope();
 *   matmul(zeros([n, 64]), zeros([64, n]));
 * };
 * rehearse(device, () => product(1000)); // fits
 * assertThrows(() => rehearse(device, () => product(1e5)), DeviceError, "binds at most");
 * ```
 */
export function rehearse(device: Device, body: () => void): MemoryUsage {
  return device.rehearse(body);
}
