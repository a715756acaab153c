// What a dispatch takes: storages by binding, workgroups, scalars and constants.
import type { Accesses, Constants, ParamTypes, ParamValues } from "./program.ts";
import type { DeviceStorage } from "./storage.ts";

/** A part of a storage; `offset` is a multiple of 256 bytes. */
export interface StorageWindow {
  /** Storage that the window is a part of. */
  readonly storage: DeviceStorage;
  /** Bytes from the start. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** Resource bound at a number: a storage or a window of one; undefined where there is none. */
export type Bound = DeviceStorage | StorageWindow | undefined;

/** Bindings of a dispatch: binding number to storage, or a window of one; undefined ones are left out. */
export type Bindings = Readonly<Record<number, Bound>>;

/** Workgroups in x, y and z. */
export type Workgroups = readonly [number, number, number];

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
