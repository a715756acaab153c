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
  /** Whether the last extra binding is the state of a `GradScaler`. */
  readonly scaled?: boolean;
  /** The update of tensor `t` at vector `i` from `w`, `g` and `v`. */
  readonly update: string;
}

/** What is known of the scale of the loss; a `GradScaler`. */
export interface Scaling {
  /** Bits of the scale, and whether to skip the step. */
  readonly storage: Tensor["storage"];
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

/** How the gradients of a scaled loss are read; `GradScaler` keeps the state, of which these are the first two. */
const SCALED = `fn unscaled(g: vec4f) -> vec4f { return g / bitcast<f32>(scaling[0]); }
fn skipped() -> bool { return scaling[1] != 0u; }`;
const PLAIN = `fn unscaled(g: vec4f) -> vec4f { return g; }
fn skipped() -> bool { return false; }`;

const programs = new Map<string, Program>();

/** An optimizer's shader for the gradients of a scaled loss, whose state is bound after its own extra bindings. */
export function scaledShader(shader: ManyShader): ManyShader {
  const extra = [...shader.extra, "var<storage, read> scaling: array<u32>;"];
  return { ...shader, name: `${shader.name} scaled`, extra, scaled: true };
}

/** The program of an entry point for `many` tensors. */
export function manyProgram(shader: ManyShader, entryPoint: string, many: number, velocity: boolean): Program {
  const id = `${shader.name} ${entryPoint} ${many} ${velocity}`;
  let program = programs.get(id);
  if (!program) {
    const params = { ...shader.scalars, ...tensorScalars(many) };
    const code = [lib_many, shader.code, shader.scaled ? SCALED : PLAIN, declarations(shader, params, many, velocity)];
    programs.set(id, program = { name: shader.name, code, entryPoint, params });
  }
  return program;
}

/** Splits tensors into batches that the device can bind together. */
export function batches(
  device: Device,
  slots: readonly Slot[],
  shader: ManyShader,
  scaler: Scaling | null = null,
): Batch[] {
  const each = slots[0]?.velocity ? 3 : 2;
  const room = device.limits.maxStorageBuffersPerShaderStage - shader.extra.length;
  const many = Math.max(1, Math.min(8, Math.floor(room / each)));
  const result: Batch[] = [];
  for (let i = 0; i < slots.length; i += many) result.push(batch(device, slots.slice(i, i + many), shader, scaler));
  return result;
}

function batch(device: Device, slots: readonly Slot[], shader: ManyShader, scaler: Scaling | null): Batch {
  const params: Record<string, number> = {};
  const buffers: Record<number, Tensor["storage"]> = {};
  if (scaler) buffers[shader.extra.length] = scaler.storage;
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
  lines.push(
    choose("grad_at(t: u32, i: u32) -> vec4f", tensors.map((t) => `return unscaled(g${t}[i]);`), "return vec4f(0.0);"),
  );
  const updates = tensors.map((t) => {
    const read = `let w = w${t}[i]; let g = unscaled(g${t}[i]); let v = ${velocity ? `v${t}[i]` : "vec4f(0.0)"};`;
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
