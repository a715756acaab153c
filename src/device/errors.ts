/** Details of what an operation was doing when the device refused it. */
export interface DeviceErrorDetails {
  /** The op, for example `conv2d`. */
  op?: string;
  /** The shapes of its inputs, for example `[[8, 16, 16, 32], [3, 3, 32, 64]]`. */
  shapes?: readonly (readonly number[])[];
  /** The shader program and its entry point, for example `matmul.forward`. */
  shader?: string;
  /** Error that this one was made of. */
  cause?: unknown;
}

/**
 * The GPU could not do what was asked: no adapter, a shader that does not compile, a validation error, memory that ran
 * out, or a device that was lost. It is thrown at the next await (`data()`, `done()`) or the next dispatch.
 *
 * @example Usage
 * ```ts
 * import { DeviceError } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DeviceError("Cannot run relu()", { op: "relu", shapes: [[2, 3]] });
 * assertEquals(error.message, "Cannot run relu() (op relu, shapes [2,3])");
 * ```
 */
export class DeviceError extends Error {
  /** The op that was running, when known. */
  readonly op?: string;
  /** The shapes of its inputs, when known. */
  readonly shapes?: readonly (readonly number[])[];
  /** The shader program and entry point, when known. */
  readonly shader?: string;

  /** Makes an error whose message ends with what is known of the op. */
  constructor(message: string, details: DeviceErrorDetails = {}) {
    const known = [
      details.op && `op ${details.op}`,
      details.shapes?.length && `shapes ${details.shapes.map((s) => `[${s}]`).join(" ")}`,
      details.shader && `shader ${details.shader}`,
    ].filter(Boolean).join(", ");
    super(known ? `${message} (${known})` : message, { cause: details.cause });
    this.name = "DeviceError";
    this.op = details.op;
    this.shapes = details.shapes;
    this.shader = details.shader;
  }
}
