import type { Bindings, Device, ParamType, Program, Workgroups } from "../device/mod.ts";
import { lib_many } from "../device/shaders.gen.ts";
import type { Tensor } from "../tensor/mod.ts";

/** Elements of one workgroup of `lib/many.wgsl`. */
const ELEMENTS_A_GROUP = 1024;

/** A parameter with its gradient, and its velocity when there is momentum. */
export interface Slot {
  /** The parameter. */
  readonly weight: Tensor;
  /** Its gradient. */
  readonly grad: Tensor;
  /** Its velocity; null without momentum. */
  readonly velocity: Tensor | null;
}

/** How an optimizer's shader takes part: its own WGSL, scalars, extra bindings, and its update expression. */
export interface ManyShader {
  readonly name: string;
  readonly code: string;
  readonly scalars: Readonly<Record<string, ParamType>>;
  /** Declarations of extra storage bindings, from 1. */
  readonly extra: readonly string[];
  /** The update of tensor `t` at vector `i` from `w`, `g` and `v`. */
  readonly update: string;
}

/** Several tensors that one dispatch updates. */
export interface Batch {
  readonly slots: readonly Slot[];
  readonly params: Record<string, number>;
  readonly buffers: Bindings;
  readonly workgroups: Workgroups;
  /** Workgroups before folding. */
  readonly total: number;
}

const programs = new Map<string, Program>();

/** The program of an entry point for `many` tensors. */
export function manyProgram(shader: ManyShader, entryPoint: string, many: number, velocity: boolean): Program {
  const id = `${shader.name} ${entryPoint} ${many} ${velocity}`;
  let program = programs.get(id);
  if (!program) {
    const params = { ...shader.scalars, ...tensorScalars(many) };
    const code = [lib_many, shader.code, declarations(shader, params, many, velocity)];
    programs.set(id, program = { name: shader.name, code, entryPoint, params });
  }
  return program;
}

/** Splits tensors into batches that the device can bind together. */
export function batches(device: Device, slots: readonly Slot[], shader: ManyShader): Batch[] {
  const each = slots[0]?.velocity ? 3 : 2;
  const room = device.limits.maxStorageBuffersPerShaderStage - shader.extra.length;
  const many = Math.max(1, Math.min(8, Math.floor(room / each)));
  const result: Batch[] = [];
  for (let i = 0; i < slots.length; i += many) result.push(batch(device, slots.slice(i, i + many), shader));
  return result;
}

function batch(device: Device, slots: readonly Slot[], shader: ManyShader): Batch {
  const params: Record<string, number> = {};
  const buffers: Record<number, Tensor["storage"]> = {};
  let binding = 1 + shader.extra.length;
  let start = 0;
  slots.forEach(({ weight, grad, velocity }, t) => {
    params[`size${t}`] = weight.size;
    params[`start${t}`] = start;
    start += Math.ceil(weight.size / ELEMENTS_A_GROUP);
    buffers[binding++] = weight.storage;
    buffers[binding++] = grad.storage;
    if (velocity) buffers[binding++] = velocity.storage;
  });
  params[`start${slots.length}`] = start;
  return { slots, params, buffers, workgroups: device.groups(start, 1), total: start };
}

function tensorScalars(many: number): Record<string, ParamType> {
  const scalars: Record<string, ParamType> = {};
  for (let t = 0; t < many; t++) scalars[`size${t}`] = "u32";
  for (let t = 0; t <= many; t++) scalars[`start${t}`] = "u32";
  return scalars;
}

function declarations(shader: ManyShader, params: Record<string, ParamType>, many: number, velocity: boolean): string {
  const tensors = Array.from({ length: many }, (_, t) => t);
  const fields = Object.entries(params).map(([name, type]) => `${name}: ${type}`).join(", ");
  const lines = [
    `struct Params { ${fields} }`,
    "@group(0) @binding(0) var<uniform> params: Params;",
    `const MANY = ${many}u;`,
  ];
  let binding = 1;
  for (const each of shader.extra) lines.push(`@group(0) @binding(${binding++}) ${each}`);
  for (const t of tensors) {
    lines.push(`@group(0) @binding(${binding++}) var<storage, read_write> w${t}: array<vec4f>;`);
    lines.push(`@group(0) @binding(${binding++}) var<storage, read> g${t}: array<vec4f>;`);
    if (velocity) lines.push(`@group(0) @binding(${binding++}) var<storage, read_write> v${t}: array<vec4f>;`);
  }
  const later = tensors.slice(1).map((t) => `if (flat >= params.start${t}) { t = ${t}u; }`);
  lines.push(`fn tensor_of(flat: u32) -> u32 { var t = 0u; ${later.join(" ")} return t; }`);
  lines.push(
    choose("start_of(t: u32) -> u32", [...tensors, many].map((t) => `return params.start${t};`), "return 0u;"),
  );
  lines.push(choose("size_of(t: u32) -> u32", tensors.map((t) => `return params.size${t};`), "return 0u;"));
  lines.push(
    choose("weight_at(t: u32, i: u32) -> vec4f", tensors.map((t) => `return w${t}[i];`), "return vec4f(0.0);"),
  );
  lines.push(choose("grad_at(t: u32, i: u32) -> vec4f", tensors.map((t) => `return g${t}[i];`), "return vec4f(0.0);"));
  const updates = tensors.map((t) => {
    const read = `let w = w${t}[i]; let g = g${t}[i]; let v = ${velocity ? `v${t}[i]` : "vec4f(0.0)"};`;
    return `${read} let s = ${shader.update}; w${t}[i] = s.w;${velocity ? ` v${t}[i] = s.v;` : ""}`;
  });
  lines.push(choose("update(t: u32, i: u32)", updates, ""));
  return lines.join("\n");
}

function choose(signature: string, cases: readonly string[], otherwise: string): string {
  return `fn ${signature} { switch (t) { ${
    cases.map((body, t) => `case ${t}u: { ${body} }`).join(" ")
  } default: { ${otherwise} } } }`;
}
