import {
  type Access,
  type AdapterFamily,
  type Bindings,
  defineProgram,
  type Device,
  type ParamTypes,
  type Program,
  type ShaderPart,
  type Workgroups,
} from "../device/mod.ts";
import type { Nothing } from "../device/internal.ts";
import { policyOf } from "../ops/internal.ts";
import { lib_many } from "../shaders/lib.ts";
import type { Tensor } from "../tensor/mod.ts";

/** Elements of one workgroup of `lib/many.wgsl`. */
const ELEMENTS_A_GROUP = 1024;

/** Most tensors of a dispatch, where the device binds as many: a ResNet-50 has 165. More cost lavapipe seconds to compile. */
const MOST_TENSORS: Readonly<Record<AdapterFamily, number>> = { cpu: 8, gpu: 256 };

/** Slots for buffers of a stage on Metal. */
const METAL_SLOTS = 31;

/** Tensors whose flags share a scalar: 4 bits each, elements missing from the last vector and whether it is marked. */
const FLAGS_A_WORD = 8;

/** A parameter with its gradient and the state that the optimizer keeps of it. */
export interface Slot {
  /** The parameter, which is updated. */
  readonly weight: Tensor;
  /** Gradient of the tensor. */
  readonly grad: Tensor;
  /** States of the tensor, such as a velocity, in the order of the shader's; none where the shader is to see zeros. */
  readonly states: readonly Tensor[];
}

/** A storage binding of an optimizer's own. */
export interface ExtraBinding {
  /** Access of the shader to the binding. */
  readonly access: Access;
  /** WGSL name and type: `trust: array<f32>`. */
  readonly variable: string;
}

/** An optimizer's part of the shared shader: WGSL, scalars, extra bindings, and its update expression. */
export interface ManyShader<P extends ParamTypes = ParamTypes> {
  readonly name: string;
  readonly code: ShaderPart<Nothing, Nothing>;
  /** Scalars of its own. */
  readonly scalars: P;
  /** Extra storage bindings, from 1. */
  readonly extra: readonly ExtraBinding[];
  /** Whether the last extra binding is the state of a `GradScaler`. */
  readonly scaled?: boolean;
  /** Whether tensors are updated by themselves: no gradient is bound, and `g` is `w`. */
  readonly alone?: boolean;
  /** Names of the states of a tensor, such as `v`. */
  readonly states: readonly string[];
  /** The update of tensor `t` at vector `i` from `w`, `g` and the states: a `Step` of `w` and the states. */
  readonly update: string;
}

/** Scale of the loss; a `GradScaler` has one. */
export interface Scaling {
  /** Bits of the scale, and whether to skip the step. */
  readonly storage: Tensor["storage"];
}

/** A scalar that holds flags of tensors. */
type Flags = `flags${number}`;

/** Several tensors that one dispatch updates. */
export interface Batch {
  readonly slots: readonly Slot[];
  /** The flags of the tensors. */
  readonly params: Readonly<Record<Flags, number>>;
  readonly buffers: Bindings;
  readonly workgroups: Workgroups;
  /** Workgroups before folding. */
  readonly total: number;
}

/** WGSL that reads the gradients of a scaled loss; the first two elements of `GradScaler`'s state are bound. */
const SCALED = `fn unscaled(g: vec4f) -> vec4f { return g / bitcast<f32>(scaling[0]); }
fn skipped() -> bool { return scaling[1] != 0u; }`;
const PLAIN = `fn unscaled(g: vec4f) -> vec4f { return g; }
fn skipped() -> bool { return false; }`;

/** An optimizer's shader for the gradients of a scaled loss, whose state is bound after its own extra bindings. */
export function scaledShader<P extends ParamTypes>(shader: ManyShader<P>): ManyShader<P> {
  const extra = [...shader.extra, { access: "read", variable: "scaling: array<u32>" } as const];
  return { ...shader, name: `${shader.name} scaled`, extra, scaled: true };
}

/** The part of a program that says how to read a scaled loss's gradients, or with null those of one that is not scaled. */
export function scalingPart<B extends number>(binding: B | null): ShaderPart<Nothing, Readonly<Record<B, "read">>> {
  const declared = `@group(0) @binding(${binding}) var<storage, read> scaling: array<u32>;`;
  const [code, access] = binding === null ? [PLAIN, {}] : [`${declared}\n${SCALED}`, { [binding]: "read" }];
  return { code, params: {}, access: access as Record<B, "read"> };
}

/** The program of an entry point for `many` tensors, with their states bound or read as zeros. */
export function manyProgram<P extends ParamTypes>(
  { programs }: Device,
  shader: ManyShader<P>,
  entryPoint: string,
  many: number,
  stateful: boolean,
): Program<P & Readonly<Record<Flags, "u32">>> {
  return programs.get(shader, `${entryPoint} ${many} ${stateful}`, () => {
    const params = { ...shader.scalars, ...flagScalars(many) };
    const read = shader.scaled ? SCALED : PLAIN;
    const declared = declarations(shader, params, many, stateful);
    const code = [lib_many, shader.code, read, declared] as const;
    return { ...defineProgram({ name: shader.name, code, entryPoint }), params };
  });
}

/**
 * Storages that a dispatch may bind. Metal has 31 slots for them, the `Params` and the lengths of the arrays together, and
 * adapters there tell 31 for the storages alone.
 */
export function storagesOf({ limits }: Pick<Device, "limits">): number {
  const told = limits.maxStorageBuffersPerShaderStage;
  return told > METAL_SLOTS ? told : Math.min(told, METAL_SLOTS - 2);
}

/** Splits tensors into batches that the device can bind together. */
export function batches(
  device: Device,
  slots: readonly Slot[],
  shader: ManyShader,
  scaler: Scaling | null = null,
  marked: (weight: Tensor) => boolean = () => false,
): Batch[] {
  const each = (shader.alone ? 1 : 2) + (slots[0]?.states.length ?? 0);
  const room = storagesOf(device) - shader.extra.length;
  const many = Math.max(1, Math.min(policyOf(device).of(MOST_TENSORS), Math.floor(room / each)));
  const result: Batch[] = [];
  for (let i = 0; i < slots.length; i += many) {
    const some = slots.slice(i, i + many);
    const params = flagsOf(some.map(({ weight }) => weight), marked);
    result.push({ slots: some, params, ...batch(device, some, shader, scaler) });
  }
  return result;
}

function batch(
  device: Device,
  slots: readonly Slot[],
  shader: ManyShader,
  scaler: Scaling | null,
): Pick<Batch, "buffers" | "workgroups" | "total"> {
  const buffers: Record<number, Tensor["storage"]> = {};
  if (scaler) buffers[shader.extra.length] = scaler.storage;
  let binding = 1 + shader.extra.length;
  let total = 0;
  slots.forEach(({ weight, grad, states }) => {
    total += Math.ceil(weight.size / ELEMENTS_A_GROUP);
    for (const each of [weight, ...shader.alone ? [] : [grad], ...states]) buffers[binding++] = each.storage;
  });
  return { buffers, workgroups: device.groups(total, 1), total };
}

function flagsOf(weights: readonly Tensor[], marked: (weight: Tensor) => boolean): Record<Flags, number> {
  const words = new Uint32Array(Math.ceil(weights.length / FLAGS_A_WORD));
  weights.forEach((weight, t) => {
    const flags = (-weight.size & 3) | (marked(weight) ? 4 : 0);
    words[Math.floor(t / FLAGS_A_WORD)]! |= flags << 4 * (t % FLAGS_A_WORD);
  });
  return Object.fromEntries([...words].map((word, i) => [`flags${i}`, word]));
}

function flagScalars(many: number): Record<Flags, "u32"> {
  const words = Math.ceil(many / FLAGS_A_WORD);
  return Object.fromEntries(Array.from({ length: words }, (_, i) => [`flags${i}`, "u32" as const]));
}

function declarations(
  shader: ManyShader,
  params: ParamTypes,
  many: number,
  stateful: boolean,
): ShaderPart {
  const tensors = Array.from({ length: many }, (_, t) => t);
  const fields = Object.entries(params).map(([name, type]) => `${name}: ${type}`).join(", ");
  const lines = [
    `struct Params { ${fields} }`,
    "@group(0) @binding(0) var<uniform> params: Params;",
    `const MANY = ${many}u;`,
    `struct Step { ${["w", ...shader.states].map((name) => `${name}: vec4f`).join(", ")} }`,
  ];
  const access: Record<number, Access> = {};
  let binding = 1;
  const bind = (mode: Access, variable: string) => {
    access[binding] = mode;
    lines.push(`@group(0) @binding(${binding++}) var<storage, ${mode}> ${variable};`);
  };
  for (const each of shader.extra) bind(each.access, each.variable);
  for (const t of tensors) {
    bind("read_write", `w${t}: array<vec4f>`);
    if (!shader.alone) bind("read", `g${t}: array<vec4f>`);
    if (stateful) { for (const name of shader.states) bind("read_write", `${name}${t}: array<vec4f>`); }
  }
  const grad = (t: number) => shader.alone ? `w${t}[i]` : `unscaled(g${t}[i])`;
  lines.push(...places(tensors));
  lines.push(
    choose("weight_at(t: u32, i: u32) -> vec4f", tensors.map((t) => `return w${t}[i];`), "return vec4f(0.0);"),
  );
  lines.push(
    choose("grad_at(t: u32, i: u32) -> vec4f", tensors.map((t) => `return ${grad(t)};`), "return vec4f(0.0);"),
  );
  const updates = tensors.map((t) => updateOf(shader, t, grad(t), stateful));
  lines.push(choose("update(t: u32, i: u32)", updates, ""));
  return { code: lines.join("\n"), params, access };
}

/** WGSL that updates tensor `t` at vector `i`, and its states where they are bound. */
function updateOf({ states, update }: ManyShader, t: number, grad: string, stateful: boolean): string {
  const read = states.map((name) => ` let ${name} = ${stateful ? `${name}${t}[i]` : "vec4f(0.0)"};`).join("");
  const kept = stateful ? states.map((name) => ` ${name}${t}[i] = next.${name};`).join("") : "";
  return `let w = w${t}[i]; let g = ${grad};${read} let next = ${update}; w${t}[i] = next.w;${kept}`;
}

function choose(signature: string, cases: readonly string[], otherwise: string): string {
  return `fn ${signature} { switch (t) { ${
    cases.map((body, t) => `case ${t}u: { ${body} }`).join(" ")
  } default: { ${otherwise} } } }`;
}

/**
 * Locates the tensors among the workgroups. Their sizes are those of the bindings, so that one program serves any
 * shapes.
 */
function places(tensors: readonly number[]): string[] {
  const groups = (t: number) => `groups_of(arrayLength(&w${t}))`;
  const ends = tensors.slice(0, -1).map((t) => `end += ${groups(t)}; if (flat >= end) { t = ${t + 1}u; }`);
  const starts = tensors.map((t) => `if (t > ${t}u) { start += ${groups(t)}; }`);
  const words = Array.from({ length: Math.ceil(tensors.length / FLAGS_A_WORD) }, (_, i) => `return params.flags${i};`);
  return [
    `fn tensor_of(flat: u32) -> u32 { var t = 0u; var end = 0u; ${ends.join(" ")} return t; }`,
    `fn start_of(t: u32) -> u32 { var start = 0u; ${starts.join(" ")} return start; }`,
    choose("vectors_of(t: u32) -> u32", tensors.map((t) => `return arrayLength(&w${t});`), "return 0u;"),
    choose("flag_word(t: u32) -> u32", words, "return 0u;"),
    `fn flags_of(t: u32) -> u32 { return flag_word(t / ${FLAGS_A_WORD}u) >> (4u * (t % ${FLAGS_A_WORD}u)); }`,
    "fn size_of(t: u32) -> u32 { return 4u * vectors_of(t) - (flags_of(t) & 3u); }",
    "fn marked(t: u32) -> bool { return (flags_of(t) & 4u) != 0u; }",
  ];
}
