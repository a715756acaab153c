// Sums over the invocations that share a row or a column: through workgroup memory, or through subgroups where there are any.
import type { Device, Program, ShaderPart } from "../../device/mod.ts";
import { policyOf } from "./policy.ts";
import { lib_lanes, lib_lanes_subgroup, lib_rows, lib_rows_subgroup } from "../../shaders/gen.ts";

/** What takes the place of a part of a program. */
const SUBGROUP_FORMS: ReadonlyMap<string | ShaderPart, ShaderPart> = new Map<string | ShaderPart, ShaderPart>([
  [lib_lanes, lib_lanes_subgroup],
  [lib_rows, lib_rows_subgroup],
]);

const programs = new Map<number, WeakMap<Program, Program>>();

/** The form of a program on `lib/lanes.wgsl` or `lib/rows.wgsl` that suits the device, where `lanes` invocations share. */
export function laneForm(device: Device, program: Program, lanes: number): Program {
  const { subgroupSize } = policyOf(device);
  if (subgroupSize === 0 || lanes === 1) return program;
  let forms = programs.get(subgroupSize);
  if (!forms) programs.set(subgroupSize, forms = new WeakMap());
  let form = forms.get(program);
  if (!form) {
    const code = program.code.map((part) => SUBGROUP_FORMS.get(part) ?? part);
    forms.set(program, form = { ...program, code: [...code, `const SUBGROUP = ${subgroupSize}u;`] });
  }
  return form;
}
