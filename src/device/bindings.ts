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
