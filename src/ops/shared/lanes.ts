// Sums over the invocations that share a row or a column: through workgroup memory, or through subgroups where there are any.
import type { Accesses, Device, ParamTypes, Program, ShaderPart } from "../../device/mod.ts";
import { policyOf } from "./policy.ts";
import { lib_lanes, lib_lanes_subgroup, lib_rows, lib_rows_subgroup } from "../../shaders/lib.ts";

/** Parts that take the place of others where the adapter has subgroups. */
const SUBGROUP_FORMS: ReadonlyMap<string | ShaderPart, ShaderPart> = new Map<string | ShaderPart, ShaderPart>([
  [lib_lanes, lib_lanes_subgroup],
  [lib_rows, lib_rows_subgroup],
]);

/** The form of a program on `lib/lanes.wgsl` or `lib/rows.wgsl` that suits the device, where `lanes` invocations share. */
export function laneForm<P extends ParamTypes, A extends Accesses>(
  device: Device,
  program: Program<P, A>,
  lanes: number,
): Program<P, A> {
  const { subgroupSize } = policyOf(device);
  if (subgroupSize === 0 || lanes === 1) return program;
  return device.programs.get(program, `subgroup ${subgroupSize}`, () => {
    const code = program.code.map((part) => SUBGROUP_FORMS.get(part) ?? part);
    return { ...program, code: [...code, `const SUBGROUP = ${subgroupSize}u;`] };
  });
}
