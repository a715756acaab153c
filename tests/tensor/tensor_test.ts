import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { ones, tensor } from "../../src/tensor/mod.ts";
import { accumulate, addPair } from "../../src/tensor/internal.ts";

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
