// The three forms of the loops over pairs of rows (`shaders/lib/row_pairs.wgsl`, `row_sums.wgsl`), and which one suits.
import {
  type Accesses,
  type AccessOf,
  defineProgram,
  type Device,
  type ParamsOf,
  type ParamTypes,
  type Part,
  type Program,
  type ShaderPart,
  type Workgroups,
} from "../../device/mod.ts";
import { type Nothing, withParts } from "../../device/internal.ts";
import { lib_row_pairs, lib_row_pairs_subgroup, lib_row_sums, lib_row_sums_subgroup } from "../../shaders/lib.ts";
import { policyOf } from "./policy.ts";
import { ROW_FORMS } from "./tables.ts";

/**
 * Name of a form of row reduction: `tiles` suits GPUs, `subgroup` CPU adapters with subgroups of 8 lanes, `lanes` the
 * others.
 */
export type RowForm = keyof typeof ROW_FORMS;

/** One program a form. */
export type FormPrograms<P extends ParamTypes, A extends Accesses> = Readonly<Record<RowForm, Program<P, A>>>;

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
export function pairForms<const C extends readonly Part[]>(
  name: string,
  code: C,
): FormPrograms<ParamsOf<C>, AccessOf<C>> {
  const lanes = withParts(defineProgram({ name, code, entryPoint: "lanes" }), lib_row_pairs);
  return forms(lanes, lib_row_pairs_subgroup);
}

/** The programs of a shader on `lib/row_sums.wgsl`. */
export function sumForms<const C extends readonly Part[]>(
  name: string,
  code: C,
): FormPrograms<ParamsOf<C>, AccessOf<C>> {
  const lanes = withParts(defineProgram({ name, code, entryPoint: "lanes" }), lib_row_sums);
  return forms(lanes, lib_row_sums_subgroup);
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

/** Makes both forms of a program. That for subgroups is a module of its own, not to be compiled where they are missing. */
function forms<P extends ParamTypes, A extends Accesses>(
  lanes: Program<P, A>,
  subgroup: ShaderPart<Nothing, Nothing>,
): FormPrograms<P, A> {
  return {
    subgroup: { ...withParts(lanes, subgroup), form: "pairs:subgroup", entryPoint: "subgroup" },
    lanes: { ...lanes, form: "pairs:lanes" },
    tiles: { ...lanes, form: "pairs:tiles", entryPoint: "tiles" },
  };
}

/** Workgroups over `[rows, cols]`, the columns in x. */
function tiles(size: readonly [number, number], tile: readonly [number, number]): Workgroups {
  return [Math.ceil(size[1] / tile[1]), Math.ceil(size[0] / tile[0]), 1];
}
