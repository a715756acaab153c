import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { defineProgram, Device } from "../../src/device/mod.ts";
import { askParams, packParams, sourceOf, withParts, withTypes } from "../../src/device/program.ts";
import { ProgramMemo } from "../../src/device/program_memo.ts";
import { ones, Tensor } from "../../src/tensor/mod.ts";

const OPERANDS = {
  code: `struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;`,
  params: { size: "u32", factor: "f32" },
  access: { 1: "read" },
} as const;
const RESULT = {
  code: "@group(0) @binding(2) var<storage, read_write> y: array<f32>;",
  params: {},
  access: { 2: "read_write" },
} as const;
const BODY = `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.size) { y[id.x] = params.factor * x[id.x]; }
}`;

function scale() {
  return defineProgram({ name: "scale", code: [OPERANDS, RESULT, BODY], entryPoint: "main" });
}

Deno.test("defineProgram() joins what the parts declare", () => {
  const { params, access } = scale();
  assertEquals(Object.entries(params), [["size", "u32"], ["factor", "f32"]]);
  assertEquals<unknown>(access, { 1: "read", 2: "read_write" });
  const other = { code: "", params: {}, access: { 1: "read_write" } } as const;
  assertThrows(
    () => defineProgram({ name: "some", code: [OPERANDS, other], entryPoint: "main" }),
    TypeError,
    "Cannot define some as its parts must declare binding 1 in one way: got read and read_write",
  );
  assertThrows(
    () => defineProgram({ name: "some", code: [OPERANDS, OPERANDS], entryPoint: "main" }),
    TypeError,
    "Cannot define some as one part must declare Params: got several",
  );
  assertThrows(
    () => defineProgram({ name: "some", code: "body" as unknown as string[], entryPoint: "main" }),
    TypeError,
    "Cannot define some as its code must be a list of parts: got body",
  );
});

Deno.test("withParts() puts parts in front, and withTypes() sets what Params leave open", () => {
  const program = withParts(defineProgram({ name: "some", code: ["body"], entryPoint: "main" }), "types", RESULT);
  assertEquals(sourceOf(program), `types\n${RESULT.code}\nbody`);
  assertEquals<unknown>(program.access, { 2: "read_write" });
  const open = { code: "struct Params { size: u32, a: N1 }", params: { size: "u32", a: "N1" }, access: {} } as const;
  const { code, params } = withTypes(open, { N1: "i32" });
  assertEquals(code, `alias N1 = i32;\n${open.code}`);
  assertEquals(Object.entries(params), [["size", "u32"], ["a", "i32"]]);
  // @ts-expect-error: the type of a scalar is open
  defineProgram({ name: "some", code: [open], entryPoint: "main" });
});

Deno.test("Device.dispatch() takes the scalars and bindings of its program, others are type errors", async () => {
  await using device = await Device.open();
  const [x, y] = [ones([2]), new Tensor(device, [2])];
  const [program, workgroups] = [scale(), [1, 1, 1]] as const;
  const buffers = { 1: x.storage, 2: y.storage };
  const params = { size: 2, factor: 3 };
  device.dispatch(program, { params, buffers, workgroups });
  assertEquals(await y.data(), new Float32Array([3, 3]));
  const mistakes = [ // checked by `deno check`; never run
    // @ts-expect-error: a scalar is missing
    () => device.dispatch(program, { params: { size: 2 }, buffers, workgroups }),
    // @ts-expect-error: all are missing
    () => device.dispatch(program, { buffers, workgroups }),
    // @ts-expect-error: one is too many
    () => device.dispatch(program, { params: { ...params, gamma: 1 }, buffers, workgroups }),
    // @ts-expect-error: one is misspelt, behind a spread
    () => device.dispatch(program, { params: { ...params, faktor: 1 }, buffers, workgroups }),
    // @ts-expect-error: one is no number
    () => device.dispatch(program, { params: { size: 2, factor: "3" }, buffers, workgroups }),
    // @ts-expect-error: names that nobody knows
    () => device.dispatch(program, { params: params as Record<string, number>, buffers, workgroups }),
    // @ts-expect-error: a binding that no part declares
    () => device.dispatch(program, { params, buffers: { ...buffers, 3: y.storage }, workgroups }),
    // @ts-expect-error: a tensor is no storage
    () => device.dispatch(program, { params, buffers: { 1: x, 2: y.storage }, workgroups }),
  ];
  assertEquals(mistakes.length, 8);
});

Deno.test("A program of plain WGSL has the interface that its text declares", async () => {
  await using device = await Device.open();
  const code = [
    "struct Params { size: u32, /* behind: */ by: f32 } // struct Params { no: vec2f }",
    "@group(0) @binding(0) var<uniform> params: Params;",
    "@group(0) @binding(1) var<storage, read_write> y: array<f32>;",
    "@compute @workgroup_size(1) fn main() { for (var i = 0u; i < params.size; i++) { y[i] = params.by; } }",
  ];
  const plain = { name: "plain", code: [code.join("\n")], entryPoint: "main" };
  const program = defineProgram(plain);
  assertEquals([program.params, program.access], [{ size: "u32", by: "f32" }, { 1: "read_write" }] as unknown[]);
  for (const each of [program, plain] as never[]) {
    const y = ones([2]);
    const options = { params: { size: 2, by: 3 }, buffers: { 1: y.storage }, workgroups: [1, 1, 1] };
    device.dispatch(each, options as never);
    assertEquals(await y.data(), new Float32Array([3, 3]));
  }
  for (const given of [null, {}, "main", { name: "a", entryPoint: "b" }] as never[]) {
    assertThrows(
      () => device.dispatch(given, { workgroups: [1, 1, 1] } as never),
      TypeError,
      "Cannot dispatch as a program must have a name, a list of code and an entry point, as of defineProgram()",
    );
  }
  for (const [field, got] of [["a: vec2f", '"a: vec2f"'], ["a: N1", "a: N1"]]) {
    assertThrows(() => defineProgram({ ...plain, code: [`struct Params { ${field} }`] }), TypeError, `got ${got}`);
  }
});

Deno.test("Programs of one content share a pipeline, others do not", async () => {
  await using device = await Device.open();
  const [x, y] = [ones([2]), new Tensor(device, [2])];
  const buffers = { 1: x.storage, 2: y.storage };
  const run = (program: ReturnType<typeof scale>) => {
    const { pipelines } = device.counters;
    device.dispatch(program, { params: { size: 2, factor: 3 }, buffers, workgroups: [1, 1, 1] });
    return device.counters.pipelines - pipelines;
  };
  assertEquals([run(scale()), run(scale()), run({ ...scale(), name: "other" })], [1, 0, 1]);
  const twice = BODY.replace("params.factor", "2.0 * params.factor");
  assertEquals(run(defineProgram({ name: "scale", code: [OPERANDS, RESULT, twice], entryPoint: "main" })), 1);
  assertEquals(await y.data(), new Float32Array([6, 6]));
});

Deno.test("ProgramMemo makes each version of an owner once", () => {
  const memo = new ProgramMemo();
  const [first, second] = [{}, {}];
  const program = memo.get(first, "a", scale);
  assertStrictEquals(memo.get(first, "a", scale), program);
  for (const other of [memo.get(first, "b", scale), memo.get(second, "a", scale)]) {
    if (other === program) throw new Error("the version of another is given");
  }
});

Deno.test("packParams() packs 4-byte scalars in declared order", () => {
  const view = new DataView(new ArrayBuffer(24));
  packParams(view, 8, { a: "u32", b: "f32", c: "i32" }, { c: -1, b: 0.5, a: 7 }, "test");
  assertEquals([view.getUint32(4, true), view.getUint32(8, true)], [0, 7]);
  assertEquals([view.getFloat32(12, true), view.getInt32(16, true)], [0.5, -1]);
});

Deno.test("askParams() asks each function once a dispatch, in declared order", () => {
  const types = { lr: "f32", size: "u32", step: "u32" } as const;
  let calls = 0;
  const given = { step: () => ++calls, size: 3, lr: () => ++calls / 2 };
  assertEquals(askParams(types, given), { lr: 0.5, size: 3, step: 2 });
  assertEquals(askParams(types, given), { lr: 1.5, size: 3, step: 4 });
  const numbers = { lr: 1, size: 2, step: 3 };
  assertStrictEquals(askParams(types, numbers), numbers);
});

Deno.test("packParams() throws when a parameter is missing", () => {
  const view = new DataView(new ArrayBuffer(8));
  assertThrows(
    () => packParams(view, 0, { size: "u32" }, {}, "fill"),
    TypeError,
    'Cannot dispatch fill as parameter "size" is missing',
  );
});

Deno.test("packParams() refuses what is no number", () => {
  const view = new DataView(new ArrayBuffer(4));
  for (const value of ["0.1", null, 1n] as never[]) {
    assertThrows(
      () => packParams(view, 0, { p: "f32" }, { p: value }, "dropout"),
      TypeError,
      'Cannot dispatch dropout as parameter "p" must be a number: got ',
    );
  }
});

Deno.test("packParams() refuses numbers that are no integers of their type", () => {
  const view = new DataView(new ArrayBuffer(4));
  for (const [type, value] of [["u32", -1], ["u32", 0.5], ["u32", 2 ** 32], ["u32", NaN], ["i32", 2 ** 31]] as const) {
    assertThrows(
      () => packParams(view, 0, { size: type }, { size: value }, "fill"),
      RangeError,
      `Cannot dispatch fill as parameter "size" must be of type ${type}: got ${value}`,
    );
  }
});
