// Rows of `[rows, features]`, each reduced by the lanes of a workgroup (`shaders/lib/rows.wgsl`).
import type { Device } from "../../device/mod.ts";
import { policyOf } from "./policy.ts";
import { ROW_LANES } from "./tables.ts";

/** The constants of `lib/rows.wgsl`. */
export interface RowConstants {
  readonly [name: string]: number;
  /** Invocations that share a row, a power of two. */
  readonly LANES: number;
  /** Rows a workgroup. */
  readonly ROWS: number;
}

/** Maximum number of invocations a workgroup that every adapter allows. */
const MOST_LANES = 256;

/** Divides rows of so many columns among the invocations of a workgroup. */
export function rowConstants(device: Device, columns: number): RowConstants {
  const table = policyOf(device).of(ROW_LANES);
  let lanes = 1;
  while (lanes < Math.min(columns, table.lanes)) lanes *= 2;
  while (lanes < MOST_LANES && columns / lanes > table.loop) lanes *= 2;
  return { LANES: lanes, ROWS: Math.max(1, Math.floor(table.invocations / lanes)) };
}
