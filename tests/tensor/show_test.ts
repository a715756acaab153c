import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { resnet18 } from "../../src/nn/mod.ts";
import { mul } from "../../src/ops/mod.ts";
import { ones, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { showElements } from "../../src/tensor/show.ts";

const device = await Device.open();
const F16 = "shader-f16";

Deno.test("Tensor shows dtype, shape and state when inspected", () => {
  const x = ones([2, 3]);
  const where = device.info.description;
  assertEquals(Deno.inspect(x), `Tensor f32 [2, 3] on ${where}\n[[1., 1., 1.],\n [1., 1., 1.]]`);
  assertEquals(`${requireGrad(x)}`, `Tensor f32 [2, 3] on ${where}, requires grad`);
  x.dispose();
  assertEquals(Deno.inspect(x), `Tensor f32 [2, 3] on ${where}, requires grad, disposed`);
  assertEquals(Deno.inspect(ones([], { dtype: "u32" })), `Tensor u32 [] on ${where}\n1`);
});

Deno.test("Tensor is shown by console.log as by print(), of which it reads only the words that are shown", async () => {
  const values = Array.from({ length: 3333 }, (_, i) => (i * i) % 251);
  const dtypes = (["f32", "f16", "i32", "u32", "u8"] as const).filter((d) => d !== "f16" || device.features.has(F16));
  for (const dtype of dtypes) {
    for (const shape of [[3333], [3, 1111], [11, 3, 101], [1, 3333, 1]]) {
      const x = tensor(values, { dtype, shape: [3333] }).alias(shape);
      assertEquals(Deno.inspect(x), (await display(x))["text/plain"]);
    }
  }
  const bound = device.memory.peak;
  assertStringIncludes(Deno.inspect(ones([0, 3])), "[] of shape [0, 3]");
  const large = zeros([64, 64, 64, 16]);
  assertStringIncludes(Deno.inspect(large), "…");
  assert(device.memory.peak <= bound + 2 * large.bytes);
});

Deno.test("Tensor and Module are indented by what console.log shows around them", () => {
  const [x, model] = [tensor([[1], [2]]), resnet18({ numClasses: 2 })];
  const lines = Deno.inspect({ deep: { x, list: [x], model } }, { depth: 6 }).split("\n");
  assertEquals(lines.filter((line) => line.endsWith("[2.]],") || line.endsWith("[2.]]")), [
    "     [2.]],",
    "       [2.]]",
  ]);
  assert(lines.includes("      (conv1): Conv2d(3, 64, kernelSize=7, stride=2, padding=3, bias=false)"));
  model.dispose();
});

Deno.test("Tensor is shown by its line where the elements cannot be had at once", async () => {
  const line = (x: Tensor) => `${x} (await print() shows its elements)`;
  const x = ones([2]);
  let recorded = "";
  using step = compile(() => {
    const y = mul(x, 2);
    recorded = Deno.inspect(y);
    return y;
  });
  step();
  assertStringIncludes(recorded, "[2., 2.]"); // the first call is an ordinary one
  step();
  assertStringIncludes(recorded, "(await print() shows its elements)");

  await using other = await Device.open(); // in whose runtime buffers are mapped only between tasks
  const y = ones([2], { device: other });
  const { getMappedRange } = GPUBuffer.prototype;
  GPUBuffer.prototype.getMappedRange = () => {
    throw new DOMException("the buffer is not mapped", "OperationError");
  };
  try {
    assertEquals(Deno.inspect(y), line(y));
  } finally {
    GPUBuffer.prototype.getMappedRange = getMappedRange;
  }
  assertEquals(Deno.inspect(y), line(y)); // tried once
  assertEquals(await y.data(), Float32Array.of(1, 1));
});

Deno.test("Tensor leaves what failed for what comes next when it is shown", async () => {
  await using device = await Device.open();
  const x = ones([2], { device });
  const wrong = defineProgram({
    name: "wrong",
    code: ["@group(0) @binding(1) var<storage, read_write> y: array<f32>;", "@compute @workgroup_size(1) fn main() {"],
    entryPoint: "main",
  });
  device.dispatch(wrong, { buffers: { 1: x.storage }, workgroups: [1, 1, 1] } as never);
  const line = `${x} (await print() shows its elements)`;
  assertEquals(Deno.inspect(x), line); // of the same task
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(Deno.inspect(x), line); // the error is known
  await assertRejects(() => x.data(), DeviceError, "wrong.main");
  assertEquals(Deno.inspect(x), line); // what x holds is in doubt
  device.close();
  assertEquals(Deno.inspect(x), line);
});

/** Returns what a notebook would show. */
function display(x: object): Promise<Record<string, string>> {
  return (x as Record<symbol, () => Promise<Record<string, string>>>)[Symbol.for("Jupyter.display")]!();
}

Deno.test("Tensor.print() and a notebook show the same text; a disposed tensor says so", async () => {
  const x = tensor([[1, 2.5], [-3, 4]]);
  const { log } = console;
  const printed: unknown[] = [];
  console.log = (...args) => void printed.push(...args);
  try {
    await x.print();
  } finally {
    console.log = log;
  }
  const text = `${x}\n[[ 1.0000,  2.5000],\n [-3.0000,  4.0000]]`;
  assertEquals(printed, [text]);
  assertEquals(await display(x), { "text/plain": text });
  x.dispose();
  assertEquals(await display(x), { "text/plain": x.toString() });
});

Deno.test("showElements() writes numbers as PyTorch does", () => {
  const show = (shape: number[], values: number[]) => showElements(shape, "f32", (i) => Math.fround(values[i]!));
  assertEquals(show([], [7]), "7.");
  assertEquals(show([3], [1, -2, 30]), "[ 1., -2., 30.]");
  assertEquals(show([2], [1e-6, 1]), "[1.0000e-6, 1.0000e+0]");
  assertEquals(show([3], [NaN, -Infinity, 0.5]), "[      NaN, -Infinity,    0.5000]");
  assertEquals(show([2, 1, 2], [0, 1, 2, 3]), "[[[0., 1.]],\n\n [[2., 3.]]]");
  assertEquals(showElements([2], "u32", (i) => [1, 20][i]!), "[ 1, 20]");
  assertEquals(show([0, 3], []), "[] of shape [0, 3]");
  assertEquals(
    show([2000], Array.from({ length: 2000 }, (_, i) => i)),
    "[   0.,    1.,    2., …, 1997., 1998., 1999.]",
  );
  const wide = show([2, 600], Array(1200).fill(1));
  assertEquals(wide, "[[1., 1., 1., …, 1., 1., 1.],\n [1., 1., 1., …, 1., 1., 1.]]");
  const long = show([100], Array(100).fill(1)).split("\n");
  assertEquals([long.length, long.every((line) => line.length <= 81)], [6, true]);
});

Deno.test("Tensor answers names of other libraries and operators with what it is here", () => {
  // deno-lint-ignore no-explicit-any -- what is read of it is no member
  const x = ones([2]) as any;
  assertThrows(() => x.sum(), TypeError, "Cannot read x.sum as functions are given tensors here: use sum(x)");
  assertThrows(() => x.add(1), TypeError, "use add(x, y)");
  assertThrows(() => x[0], TypeError, "Cannot read x[0] as functions are given tensors here: use slice(x,");
  assertThrows(() => x.T, TypeError, "use transpose(x)");
  assertThrows(() => x.requires_grad = true, TypeError, "Cannot set x.requires_grad as functions");
  const rule =
    "Cannot use a tensor [2] in an operator as JavaScript's are of numbers and texts: use add(x, y), mul(x, 2)";
  const iterated = "Cannot iterate over a tensor [2] as its elements are on the device: use indexSelect(x, 0, [i])";
  const ways = [() => [...x], () => new Set(x), () => Array.from(x), () => new Float32Array(x)];
  for (const way of ways) assertThrows(way, TypeError, iterated);
  for (const use of [() => x + x, () => x * 2, () => +x, () => x < 1]) assertThrows(use, TypeError, rule);
});

Deno.test("Tensor is a plain object to promises, JSON, inspection and assertions all the same", async () => {
  const x = ones([2]);
  const same = await Promise.resolve(x);
  assertEquals(same, x); // compares own fields
  assertEquals(Object.keys(x), Object.keys(ones([3])));
  assertEquals(JSON.parse(JSON.stringify(x.shape)), [2]);
  assertStringIncludes(Deno.inspect({ x }, { depth: 1, getters: true }), "Tensor f32 [2]");
});
