// The three forms of the loops over pairs of rows (`shaders/lib/row_pairs.wgsl`, `row_sums.wgsl`), and which one suits.
import type { Device, Program, ShaderPart, Workgroups } from "../../device/mod.ts";
import { lib_row_pairs, lib_row_pairs_subgroup, lib_row_sums, lib_row_sums_subgroup } from "../../shaders/gen.ts";
import { ROW_FORMS } from "./variants.ts";

/** `tiles` suits GPUs, `subgroup` CPU adapters with subgroups of 8 lanes, `lanes` the others. */
export type RowForm = keyof typeof ROW_FORMS;

/** One program a form. */
export type FormPrograms = Readonly<Record<RowForm, Program>>;

/** The form for an adapter. */
export function rowForm({ info: { family, subgroupSize } }: Device): RowForm {
  if (family === "gpu") return "tiles";
  return subgroupSize === 8 ? "subgroup" : "lanes";
}

/** The programs of a shader on `lib/row_pairs.wgsl`. */
export function pairForms(name: string, code: Program["code"], params: Program["params"]): FormPrograms {
  return forms(name, [lib_row_pairs, ...code], lib_row_pairs_subgroup, params);
}

/** The programs of a shader on `lib/row_sums.wgsl`. */
export function sumForms(name: string, code: Program["code"], params: Program["params"]): FormPrograms {
  return forms(name, [lib_row_sums, ...code], lib_row_sums_subgroup, params);
}

/** Workgroups and constants of `lib/row_pairs.wgsl`. */
export function pairTiles(
  device: Device,
  rows: number,
  cols: number,
): { workgroups: Workgroups; constants: { EDGE: number } } {
  const { tile, edge } = ROW_FORMS[rowForm(device)].pairs(rows * cols);
  return { workgroups: tiles([rows, cols], tile), constants: { EDGE: edge } };
}

/** Workgroups of `lib/row_sums.wgsl`. */
export function sumTiles(device: Device, rows: number, vectors: number): Workgroups {
  return tiles([rows, vectors], ROW_FORMS[rowForm(device)].sums);
}

/** The subgroup form is a module of its own: where subgroups are missing, it must not be compiled. */
function forms(name: string, code: Program["code"], subgroup: ShaderPart, params: Program["params"]): FormPrograms {
  return {
    subgroup: { name, code: [...code, subgroup], entryPoint: "subgroup", params },
    lanes: { name, code, entryPoint: "lanes", params },
    tiles: { name, code, entryPoint: "tiles", params },
  };
}

/** Workgroups over `[rows, cols]`, the columns in x. */
function tiles(size: readonly [number, number], tile: readonly [number, number]): Workgroups {
  return [Math.ceil(size[1] / tile[1]), Math.ceil(size[0] / tile[0]), 1];
}
