import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import type { Program } from "./program.ts";
import type { Bindings, Workgroups } from "./dispatch.ts";

/** Whether a dispatch writes bytes; what the program does not say that it only reads may be written. */
function writesSomething({ access }: Program, buffers: Bindings): boolean {
  return Object.entries(buffers).some(([binding, bound]) =>
    bound && access[Number(binding)] !== "read" && !("storage" in bound ? bound.storage : bound).empty
  );
}

/** The most that a device takes at once. */
export class Bounds {
  #groups: number;
  #bytes: number;
  #details: () => DeviceErrorDetails;

  /** Takes the limits of a device; `details` tells what is running now, for errors. */
  constructor(limits: GPUSupportedLimits, details: () => DeviceErrorDetails) {
    this.#details = details;
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

  /**
   * Whether there is anything to do: no workgroups are right only where all that would be written is empty.
   *
   * @throws {TypeError} If the workgroups are no array.
   * @throws {RangeError} If a number of workgroups is not a positive integer otherwise.
   * @throws {DeviceError} If there are too many along a dimension.
   */
  isSomeWork(workgroups: Workgroups, program: Program, buffers: Bindings): boolean {
    if (!Array.isArray(workgroups) || workgroups.length > 3) {
      throw new TypeError(
        `Cannot dispatch ${program.name}.${program.entryPoint} as workgroups must be [x, y, z]: got ${workgroups}`,
      );
    }
    let some = true;
    for (let axis = 0; axis < 3; axis++) {
      const count = workgroups[axis]!;
      if (Number.isInteger(count) && count > 0) continue;
      if (count !== 0 || writesSomething(program, buffers)) {
        throw new RangeError(
          `Cannot dispatch ${program.name}.${program.entryPoint} as workgroups must be positive integers unless what it ` +
            `writes is empty: got [${workgroups}]`,
        );
      }
      some = false;
    }
    if (some) this.#checkGroups(workgroups, program);
    return some;
  }

  #checkGroups(workgroups: Workgroups, { name, entryPoint }: Program): void {
    if (Math.max(workgroups[0], workgroups[1], workgroups[2]) <= this.#groups) return;
    throw new DeviceError(
      `Cannot dispatch as workgroups must be <= ${this.#groups} along each dimension: got [${workgroups}]`,
      { ...this.#details(), shader: `${name}.${entryPoint}` },
    );
  }

  /** Throws when a storage is too large. */
  checkBytes(bytes: number): void {
    if (bytes <= this.#bytes) return;
    throw new DeviceError(
      `Cannot allocate ${bytes} bytes as this adapter binds at most ${this.#bytes} bytes at once: take less at once`,
      this.#details(),
    );
  }
}
