import type { Constants } from "./pipelines.ts";
import type { Param } from "./program.ts";
import type { Bindings, Workgroups } from "./bindings.ts";

/** What a dispatch needs beside its program. */
export interface DispatchOptions {
  /** Values of the program's `Params`; a function where a value changes from step to step. */
  params?: Readonly<Record<string, Param>>;
  /** Storage bindings: number to storage or window. */
  buffers: Bindings;
  /** Workgroups in x, y, z; see `Device.groups` for flat work. */
  workgroups: Workgroups;
  /** Values of the program's `override` constants. */
  constants?: Constants;
}

/** How much the device has made and done; a steady training step changes `submits` and `dispatches` only. */
export interface Counters {
  /** GPUBuffers created, staging buffers included. */
  readonly buffers: number;
  /** Compute pipelines compiled. */
  readonly pipelines: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Queue submits. */
  readonly submits: number;
  /** Dispatches recorded. */
  readonly dispatches: number;
  /** Read-backs. */
  readonly reads: number;
}
