// Implementations of WebGPU whose adapters have subgroups of any size: shuffles go through workgroup memory.
import { withRewritten } from "./_rewritten.ts";

/** How the programs that shuffle divide a workgroup: `[lanes, rows]`, or `[lanes]` where all share one column. */
export const DIVISIONS: readonly (readonly [number, number?])[] = [
  ...[4, 8, 16, 32, 64, 128].map((lanes) => [lanes, 128 / lanes] as const),
  [256],
];

/** Most invocations of a workgroup that shuffles. */
const INVOCATIONS = 256;

const ENTRY = /@compute\s+@workgroup_size\([^)]*\)\s*fn\s+\w+\(/g;

/** The code with `subgroupShuffleXor()` through workgroup memory, among `size` neighbours by their index. */
export function withoutShuffles(code: string, size: number): string {
  if (!/\bsubgroup\w+\s*\(/.test(code)) return code;
  const other = code.match(/\bsubgroup(?!ShuffleXor\()\w+\s*\(/);
  if (other) throw new Error(`Cannot emulate ${other[0]}`);
  const type = code.includes("fn sum_lanes(") ? "V" : "f32";
  const emulation = `
var<private> emulated_index: u32;
var<workgroup> emulated_values: array<${type}, ${INVOCATIONS}>;
fn emulatedShuffleXor(value: ${type}, mask: u32) -> ${type} {
  workgroupBarrier();
  emulated_values[emulated_index] = value;
  workgroupBarrier();
  let other = emulated_index ^ mask;
  return select(${type}(), emulated_values[other], other / ${size}u == emulated_index / ${size}u);
}`;
  return withIndex(code.replaceAll("subgroupShuffleXor(", "emulatedShuffleXor(")) + emulation;
}

/** Lets every entry point keep its index in the workgroup. */
function withIndex(code: string): string {
  return code.replaceAll(ENTRY, (head, at: number) => head + (hasIndex(code, at + head.length) ? "" : PARAMETER))
    .replaceAll(
      /@builtin\(local_invocation_index\) (\w+): u32[^{}]*\{/g,
      (head, name) => `${head} emulated_index = ${name};`,
    );
}

const PARAMETER = "@builtin(local_invocation_index) own_index: u32, ";

/** Whether the parameters that begin there have the index; those that take it in a struct are of entry points that do not shuffle. */
function hasIndex(code: string, at: number): boolean {
  const struct = /struct (\w+) \{[^}]*local_invocation_index/.exec(code)?.[1];
  const parameters = code.slice(at, code.indexOf("{", at));
  return parameters.includes("local_invocation_index") || (struct !== undefined && parameters.includes(`: ${struct}`));
}

/**
 * An implementation of WebGPU whose adapters have subgroups of `size` invocations.
 *
 * @param size What adapters tell.
 * @param real Invocations that do share, if others than adapters tell.
 */
export function withSubgroups(gpu: GPU, size: number, real = size): GPU {
  return withRewritten(gpu, (code) => withoutShuffles(code, real), (info) => infoOf(info, size));
}

function infoOf({ vendor, architecture, device, description }: GPUAdapterInfo, size: number) {
  return { vendor, architecture, device, description, subgroupMinSize: size, subgroupMaxSize: size };
}
