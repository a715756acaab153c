import type { Constants } from "./pipelines.ts";
import type { Accesses, ParamTypes, ParamValues } from "./program.ts";
import type { Bindings, Bound, Workgroups } from "./bindings.ts";

/** Storages for bindings that a program declares. */
export type BindingsOf<A extends Accesses> = { readonly [K in keyof A]?: Bound };

/**
 * Options of a dispatch beside its program, which declares scalars `P` and bindings `A`. `V` and `B` are what is given
 * for them: fields that are not declared are refused, also where they come by a spread.
 */
export type DispatchOptions<
  P extends ParamTypes = ParamTypes,
  A extends Accesses = Accesses,
  V = ParamValues<P>,
  B = Bindings,
> =
  & {
    /** DeviceStorage bindings: number to storage or window. */
    readonly buffers: B & { readonly [K in Exclude<keyof B, keyof A>]: never };
    /** Workgroups in x, y, z; see `Device.groups` for flat work. */
    readonly workgroups: Workgroups;
    /** Values of the program's `override` constants. */
    readonly constants?: Constants;
  }
  & (string extends keyof P ? { readonly params?: V } // whatever it declares is not known
    : keyof P extends never ? { readonly params?: undefined }
    : {
      /** Values of the program's `Params`; a function where a value changes from step to step. */
      readonly params: V & { readonly [K in Exclude<keyof V, keyof P>]: never };
    });

/** Counts of what the device has made and done; a steady training step changes `submits` and `dispatches` only. */
export interface Counters {
  /** GPUBuffers created, staging buffers included. */
  readonly buffers: number;
  /** Compute pipelines compiled. */
  readonly pipelines: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Queue submits. */
  readonly submits: number;
  /** Dispatches encoded. */
  readonly dispatches: number;
  /** Read-backs. */
  readonly reads: number;
}
