import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import type { Workgroups } from "./recorder.ts";

/** The most that a device takes at once. */
export class Bounds {
  #groups: number;
  #bytes: number;

  /** Reads an adapter's limits once: they are slow to read. */
  constructor(limits: GPUSupportedLimits) {
    this.#groups = limits.maxComputeWorkgroupsPerDimension;
    this.#bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  }

  /** Workgroups for `count` items at `size` a workgroup, folded into y where they are too many. */
  fold(count: number, size: number): Workgroups {
    const groups = Math.ceil(count / size);
    if (groups <= this.#groups) return [groups, 1, 1];
    const y = Math.ceil(groups / this.#groups);
    return [Math.ceil(groups / y), y, 1];
  }

  /** Throws when there are too many workgroups along a dimension. */
  checkGroups(workgroups: Workgroups, details: () => DeviceErrorDetails): void {
    if (Math.max(workgroups[0], workgroups[1], workgroups[2]) <= this.#groups) return;
    throw new DeviceError(
      `Cannot dispatch as workgroups must be <= ${this.#groups} along each dimension: got [${workgroups}]`,
      details(),
    );
  }

  /** Throws when a storage is too large. */
  checkBytes(bytes: number, details: () => DeviceErrorDetails): void {
    if (bytes <= this.#bytes) return;
    throw new DeviceError(
      `Cannot allocate ${bytes} bytes as this adapter binds at most ${this.#bytes} bytes at once: use a smaller batch`,
      details(),
    );
  }
}
