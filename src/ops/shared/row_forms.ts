// The three forms of the loops over pairs of rows (`shaders/lib/row_pairs.wgsl`, `row_sums.wgsl`), and which one suits.
import type { Device, Program, ShaderPart, Workgroups } from "../../device/mod.ts";
import { lib_row_pairs, lib_row_pairs_subgroup, lib_row_sums, lib_row_sums_subgroup } from "../../shaders/gen.ts";
import { policyOf } from "./policy.ts";
import { ROW_FORMS } from "./tables.ts";

/** `tiles` suits GPUs, `subgroup` CPU adapters with subgroups of 8 lanes, `lanes` the others. */
export type RowForm = keyof typeof ROW_FORMS;

/** One program a form. */
export type FormPrograms = Readonly<Record<RowForm, Program>>;

const ROW_FORM_NAMES = Object.keys(ROW_FORMS) as RowForm[];

/**
 * The form for an adapter.
 *
 * @throws {RangeError} If one is forced that the adapter cannot run.
 */
export function rowForm(device: Device): RowForm {
  const policy = policyOf(device);
  const usual = policy.family === "gpu" ? "tiles" : policy.subgroupSize === 8 ? "subgroup" : "lanes";
  const form = policy.choose("pairs", ROW_FORM_NAMES, usual);
  if (form === "subgroup" && policy.subgroupSize !== 8) {
    throw new RangeError(
      `Cannot force the form subgroup of pairs as it needs subgroups of 8 lanes: got ${policy.subgroupSize}`,
    );
  }
  return form;
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
    subgroup: { name, form: "pairs:subgroup", code: [...code, subgroup], entryPoint: "subgroup", params },
    lanes: { name, form: "pairs:lanes", code, entryPoint: "lanes", params },
    tiles: { name, form: "pairs:tiles", code, entryPoint: "tiles", params },
  };
}

/** Workgroups over `[rows, cols]`, the columns in x. */
function tiles(size: readonly [number, number], tile: readonly [number, number]): Workgroups {
  return [Math.ceil(size[1] / tile[1]), Math.ceil(size[0] / tile[0]), 1];
}
