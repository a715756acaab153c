// Rows of `[rows, c]` shared out to invocations, for passes that keep to one column of channels: `vec4f` columns where the
// channels are a multiple of 4, `f32` columns otherwise.
import {
  type Accesses,
  type AccessOf,
  defineProgram,
  type Device,
  type ParamsOf,
  type ParamTypes,
  type Part,
  type Program,
  type Workgroups,
} from "../../device/mod.ts";
import { withParts } from "../../device/internal.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { type FloatDType, sizeOf, type Tensor } from "../../tensor/mod.ts";
import { elementAliases, vectorAliases } from "../../tensor/internal.ts";
import type { ColumnTable, SliceTable } from "./tables.ts";

const WORKGROUP = 64;

/**
 * Programs by precision of the arrays: one for channels that are a multiple of 4 (it computes in `V`, `vec4f`), one for
 * others (`f32`). `X` is what the arrays hold: as `V`, in the precision given.
 */
export type ColumnPrograms<P extends ParamTypes, A extends Accesses> = Readonly<
  Record<FloatDType, { readonly vector: Program<P, A>; readonly scalar: Program<P, A> }>
>;

const VECTOR = `${vectorAliases(4)}
const LANE_IDS = vec4u(0u, 1u, 2u, 3u);
fn total(v: V) -> f32 { return v.x + v.y + v.z + v.w; }
fn largest(v: V) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }`;
const SCALAR = `${vectorAliases(1)}
const LANE_IDS = 0u;
fn total(v: V) -> f32 { return v; }
fn largest(v: V) -> f32 { return v; }`;

/** Makes both programs of an entry point; `code` uses the aliases `V`, `U`, `B` and the constants that stand for either width. */
export function columnPrograms<const C extends readonly Part[]>(
  name: string,
  code: C,
  entryPoint: string,
  form?: string,
): ColumnPrograms<ParamsOf<C>, AccessOf<C>> {
  const program = defineProgram({ name, form, code, entryPoint });
  const make = (dtype: FloatDType, lanes: 1 | 4) =>
    withParts(program, elementAliases({ X: dtype }, lanes), lanes === 4 ? VECTOR : SCALAR, lib_flat);
  const both = (dtype: FloatDType) => ({ vector: make(dtype, 4), scalar: make(dtype, 1) });
  return { f32: both("f32"), f16: both("f16") };
}

/** Division of the rows of `[rows, c]`; `shaders/lib/slices.wgsl` reads it. */
export interface Slices {
  /** Rows in all. */
  readonly rows: number;
  /** Columns of `V`. */
  readonly columns: number;
  /** Columns of a workgroup. */
  readonly span: number;
  /** Invocations that share a column of a block, each taking every `step`-th row. */
  readonly step: number;
  /** Rows of a block. */
  readonly block: number;
}

/** Columns of so many channels. */
export function columnsOf(channels: number): number {
  return channels % 4 === 0 ? channels / 4 : channels;
}

/** The program that suits so many channels, and arrays of a precision. */
export function pick<P extends ParamTypes, A extends Accesses>(
  programs: ColumnPrograms<P, A>,
  channels: number,
  dtype: FloatDType = "f32",
): Program<P, A> {
  const { vector, scalar } = programs[dtype];
  return channels % 4 === 0 ? vector : scalar;
}

/** Shares out the rows of x: enough blocks to fill the device, few enough that merging them stays cheap. */
export function slicesOf(x: Tensor, table: SliceTable): Slices {
  const channels = x.shape.at(-1)!;
  const columns = columnsOf(channels);
  const rows = channels === 0 ? 0 : x.size / channels;
  const span = Math.max(1, Math.min(columns, WORKGROUP));
  const step = Math.floor(WORKGROUP / span);
  const wanted = Math.ceil(rows * Math.ceil(columns / span) * WORKGROUP / (step * table.invocations));
  const each = Math.max(table.minRows, Math.min(table.maxRows, wanted));
  return { rows, columns, span, step, block: each * step };
}

/** Columns of `V` in a cache line: fewest of a workgroup that has whole ones. */
const LINE = 4;

/** Shares out the columns of x, each to a workgroup that has all its rows; null where the table says not to. */
export function wholeColumns(x: Tensor, { least, groups, maxRows }: ColumnTable): Slices | null {
  const columns = columnsOf(x.shape.at(-1)!);
  const rows = rowsOf(x);
  const span = Math.max(LINE, Math.min(WORKGROUP, Math.ceil(columns / groups)));
  const step = Math.floor(WORKGROUP / span);
  return columns >= least && rows <= maxRows * step ? { rows, columns, span, step, block: rows } : null;
}

/** Blocks of rows. */
export function blocksOf({ rows, block }: Slices): number {
  return Math.ceil(rows / block);
}

/** Workgroups for every block and span of columns. */
export function sliceGroups(device: Device, slices: Slices): Workgroups {
  return device.groups(blocksOf(slices) * Math.ceil(slices.columns / slices.span), 1);
}

/** Rows of a tensor: the product of all sizes but the last. */
export function rowsOf(x: Tensor): number {
  return sizeOf(x.shape.slice(0, -1));
}
