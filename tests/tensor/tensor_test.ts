import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { ones, tensor } from "../../src/tensor/mod.ts";
import { accumulate, addPair } from "../../src/tensor/internal.ts";
import { showElements } from "../../src/tensor/show.ts";

const device = await Device.open();

Deno.test("Tensor knows its size, rank and bytes", () => {
  const x = ones([2, 3, 5], { dtype: "u8" });
  assertEquals([x.size, x.rank, x.bytes], [30, 3, 30]);
  assertEquals([ones([]).size, ones([]).rank, ones([]).bytes], [1, 0, 4]);
  assertEquals(ones([0, 3]).size, 0);
});

Deno.test("Tensor.shape cannot be changed", () => {
  const shape = [2, 3];
  const x = ones(shape);
  shape[0] = 7;
  assertEquals(x.shape, [2, 3]);
  assertThrows(() => (x.shape as number[])[0] = 7, TypeError);
});

Deno.test("Tensor.data() of nothing is empty", async () => {
  assertEquals(await ones([0, 3]).data(), new Float32Array(0));
});

Deno.test("Tensor.item() reads the only element", async () => {
  assertEquals(await tensor([[42]]).item(), 42);
  await assertRejects(
    () => ones([2]).item(),
    TypeError,
    "Cannot read item() as there must be one element: got [2]",
  );
});

Deno.test("Tensor.write() overwrites the elements, and throws when the bytes do not agree", async () => {
  const x = ones([3]);
  x.write(new Float32Array([4, 5, 6]));
  assertEquals(await x.data(), new Float32Array([4, 5, 6]));
  const bytes = ones([5], { dtype: "u8" });
  bytes.write(new Uint8Array([1, 2, 3, 4, 5]));
  assertEquals(await bytes.data(), new Uint8Array([1, 2, 3, 4, 5]));
  assertThrows(
    () => x.write(new Float32Array(2)),
    TypeError,
    "Cannot write() as the bytes must agree: got 8 for a tensor f32 [3]",
  );
});

Deno.test("Tensor.alias() shares the elements until both are gone", async () => {
  const x = tensor([1, 2, 3, 4, 5, 6]);
  const y = x.alias([2, 3]);
  x.dispose();
  assertEquals(await y.data(), new Float32Array([1, 2, 3, 4, 5, 6]));
  assertThrows(
    () => y.alias([4]),
    TypeError,
    "Cannot alias a tensor as the sizes must agree: got [2,3] and [4]",
  );
  const live = device.memory.live;
  y.dispose();
  assertEquals(device.memory.live, live - 256);
});

Deno.test("Tensor.dispose() gives the memory back once, and reading after it says so", async () => {
  const x = ones([1000]);
  const live = device.memory.live;
  x.dispose();
  x.dispose();
  assertEquals(device.memory.live, live - 4096);
  assert(x.disposed);
  const message = "Cannot read a tensor [1000] as it was disposed: its scope ended or dispose() was called";
  await assertRejects(() => x.data(), ReferenceError, message);
  assertThrows(() => x.storage, ReferenceError, message);
  assertThrows(() => x.write(new Float32Array(1000)), ReferenceError, message);
  assertThrows(() => x.alias(), ReferenceError, message);
});

Deno.test("Tensor.dispose() frees its gradient too", () => {
  const x = requireGrad(ones([4]));
  const grad = x.grad = ones([4]);
  x.dispose();
  assert(grad.disposed);
  assertEquals(x.grad, null);
});

Deno.test("Tensor is freed at the end of `using`", () => {
  let seen;
  {
    using x = ones([4]);
    seen = x;
  }
  assert(seen.disposed);
});

Deno.test("Tensor shows dtype, shape and state when inspected", () => {
  const x = ones([2, 3]);
  const where = device.info.description;
  assertEquals(Deno.inspect(x), `Tensor f32 [2, 3] on ${where} (await print() shows its elements)`);
  assertEquals(`${requireGrad(x)}`, `Tensor f32 [2, 3] on ${where}, requires grad`);
  x.dispose();
  assertEquals(Deno.inspect(x), `Tensor f32 [2, 3] on ${where}, requires grad, disposed`);
  assertStringIncludes(Deno.inspect(ones([], { dtype: "u32" })), `Tensor u32 [] on ${where}`);
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
  const show = (shape: number[], values: number[]) => showElements(shape, Float32Array.from(values));
  assertEquals(show([], [7]), "7.");
  assertEquals(show([3], [1, -2, 30]), "[ 1., -2., 30.]");
  assertEquals(show([2], [1e-6, 1]), "[1.0000e-6, 1.0000e+0]");
  assertEquals(show([3], [NaN, -Infinity, 0.5]), "[      NaN, -Infinity,    0.5000]");
  assertEquals(show([2, 1, 2], [0, 1, 2, 3]), "[[[0., 1.]],\n\n [[2., 3.]]]");
  assertEquals(showElements([2], Uint32Array.of(1, 20)), "[ 1, 20]");
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

Deno.test("accumulate() adds in place and addPair() makes a new tensor", async () => {
  for (const size of [1, 5, 64, 259]) {
    const [x, y] = [ones([size]), tensor(Float32Array.from({ length: size }, (_, i) => i))];
    const expected = Float32Array.from({ length: size }, (_, i) => i + 1);
    assertEquals(await addPair(x, y).data(), expected);
    accumulate(x, y);
    assertEquals(await x.data(), expected);
    assertThrows(() => accumulate(x, x), TypeError, "Cannot accumulate() a tensor into itself");
  }
});

Deno.test("Tensor.write() refuses the bits of another dtype", async () => {
  const [floats, indices] = [ones([2]), ones([2], { dtype: "u32" })];
  assertThrows(
    () => floats.write(new Uint32Array(2)),
    TypeError,
    "Cannot write() as the dtypes must agree: got Uint32Array for a tensor f32 [2]",
  );
  assertThrows(() => indices.write(new Int32Array(2)), TypeError, "got Int32Array for a tensor u32 [2]");
  assertThrows(() => indices.write(new Uint8Array(8)), TypeError, "got Uint8Array for a tensor u32 [2]");
  assertThrows(() => floats.write(new Float64Array(1)), TypeError, "got Float64Array for a tensor f32 [2]");
  indices.write(new DataView(Uint32Array.of(7, 8).buffer)); // bytes as they are
  assertEquals(await indices.data(), new Uint32Array([7, 8]));
});
