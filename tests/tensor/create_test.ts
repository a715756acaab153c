import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Device, DeviceError } from "../../src/device/mod.ts";
import { arange, copyInto, eye, fill, full, ones, Tensor, tensor, zeros } from "../../src/tensor/mod.ts";

const device = await Device.open();

Deno.test("tensor() takes numbers, nested arrays and typed arrays", async () => {
  assertEquals(tensor(3).shape, []);
  assertEquals(await tensor(3).item(), 3);
  assertEquals(tensor([[[1, 2]], [[3, 4]]]).shape, [2, 1, 2]);
  assertEquals(await tensor([[1, 2], [3, 4]]).data(), new Float32Array([1, 2, 3, 4]));
  assertEquals(tensor([]).shape, [0]);
  assertEquals(tensor([[], []]).shape, [2, 0]);
});

Deno.test("tensor() has the dtype of its typed array, or the one asked for", async () => {
  assertEquals(await tensor(new Uint32Array([4294967295])).data(), new Uint32Array([4294967295]));
  assertEquals(await tensor(new Int32Array([-5])).data(), new Int32Array([-5]));
  assertEquals(await tensor(new Uint8Array([7, 8, 9])).data(), new Uint8Array([7, 8, 9]));
  assertEquals(tensor(new Uint8ClampedArray([1])).dtype, "u8");
  assertEquals(await tensor([1, 2], { dtype: "i32" }).data(), new Int32Array([1, 2]));
  assertEquals(await tensor(new Uint8Array([1, 2]), { dtype: "f32" }).data(), new Float32Array([1, 2]));
  assertStrictEquals(tensor([1], { device }).device, device);
});

Deno.test("tensor() takes part of a larger array", async () => {
  const all = new Float32Array([0, 1, 2, 3]);
  assertEquals(await tensor(all.subarray(1, 3)).data(), new Float32Array([1, 2]));
});

Deno.test("tensor() throws on uneven rows, wrong sizes, shapes and arrays", () => {
  const uneven = "Cannot make a tensor as all rows must have one length: the first ones say [2,2]";
  assertThrows(() => tensor([[1, 2], [3]]), TypeError, uneven);
  assertThrows(() => tensor([[1, 2], 3]), TypeError, uneven);
  assertThrows(() => tensor([[1, 2], [3, [4]]]), TypeError, uneven);
  assertThrows(
    () => tensor([1, 2, 3], { shape: [2, 2] }),
    TypeError,
    "Cannot make a tensor [2,2] as it has 4 elements: got 3",
  );
  for (const shape of [[-1], [1.5], [NaN]]) {
    assertThrows(
      () => tensor([1], { shape }),
      RangeError,
      `Cannot make a tensor as every size must be an integer >= 0: got [${shape}]`,
    );
  }
  assertThrows(
    () => tensor(new Float64Array([1])),
    TypeError,
    "Cannot make a tensor of this array: got Float64Array, want f32, f16, i32, u32 or u8",
  );
});

Deno.test("zeros(), ones(), full() and eye() fill every dtype", async () => {
  assertEquals(await zeros([2, 3]).data(), new Float32Array(6));
  assertEquals(await ones([3], { dtype: "u8" }).data(), new Uint8Array([1, 1, 1]));
  assertEquals(await full([2], -7, { dtype: "i32" }).data(), new Int32Array([-7, -7]));
  assertEquals(await full([1], -0.5).data(), new Float32Array([-0.5]));
  assertEquals(await full([2], NaN).data(), new Float32Array([NaN, NaN]));
  assertEquals(await eye(3).data(), new Float32Array([1, 0, 0, 0, 1, 0, 0, 0, 1]));
  assertEquals(zeros([0, 4]).shape, [0, 4]);
});

Deno.test("arange() counts up, down and by fractions", async () => {
  assertEquals(await arange(0, 4).data(), new Float32Array([0, 1, 2, 3]));
  assertEquals(await arange(3, 0, { step: -2 }).data(), new Float32Array([3, 1]));
  assertEquals(await arange(0, 1, { step: 0.25 }).data(), new Float32Array([0, 0.25, 0.5, 0.75]));
  assertEquals(await arange(2, 5, { dtype: "u32" }).data(), new Uint32Array([2, 3, 4]));
  assertEquals(arange(5, 2).shape, [0]);
  assertThrows(() => arange(0, 1, { step: 0 }), RangeError, "Cannot make arange() as step must not be 0: got 0");
});

Deno.test("fill() overwrites a tensor, also one of bytes", async () => {
  const x = ones([5]);
  fill(x, 2.5);
  assertEquals(await x.data(), new Float32Array(5).fill(2.5));
  const bytes = ones([5], { dtype: "u8" });
  fill(bytes, 200);
  assertEquals(await bytes.data(), new Uint8Array(5).fill(200));
});

Deno.test("copyInto() writes a part and leaves the rest", async () => {
  const target = zeros([2, 3]);
  copyInto(target, tensor([1, 2]), 3);
  assertEquals(await target.data(), new Float32Array([0, 0, 0, 1, 2, 0]));
});

Deno.test("copyInto() throws when it does not fit or the dtypes differ", () => {
  const x = ones([3]);
  const rule = "Cannot copyInto() as x must fit: got [3] at";
  assertThrows(() => copyInto(ones([4]), x, 2), RangeError, `${rule} 2 of [4]`);
  assertThrows(() => copyInto(ones([4]), x, -1), RangeError, `${rule} -1 of [4]`);
  const dtypes = "Cannot copyInto() as the dtypes must agree and not be u8 or f16: got";
  assertThrows(() => copyInto(ones([4], { dtype: "u32" }), x), TypeError, `${dtypes} u32 and f32`);
  const bytes = ones([4], { dtype: "u8" });
  assertThrows(() => copyInto(bytes, bytes), TypeError, `${dtypes} u8 and u8`);
});

Deno.test("Tensor takes storage that exists", async () => {
  const x = tensor([1, 2, 3, 4]);
  const y = new Tensor<"f32">(device, [2, 2], { storage: x.storage.retain() });
  x.dispose();
  assertEquals(await y.data(), new Float32Array([1, 2, 3, 4]));
});

Deno.test("tensor() refuses what is no number, however it is nested", () => {
  const wrong: [unknown, string][] = [
    [["1"], 'got "1" (string)'],
    ["1", 'got "1" (string)'],
    [[true], "got true (boolean)"],
    [[null], "got null (object)"],
    [[1, undefined], "got undefined (undefined)"],
    [[[1], [2n]], "got 2 (bigint)"],
    [[1, "2"], 'got "2" (string)'],
    [[{ length: 1 }], "got [object Object] (object)"],
  ];
  for (const [values, message] of wrong) {
    const make = () => tensor(values as number[]);
    assertThrows(make, TypeError, `Cannot make a tensor as every element must be a number: ${message}`);
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assertThrows(() => tensor(cycle as number[]), TypeError, "there must be at most 64 axes");
});

Deno.test("tensor(), full() and fill() refuse what an integer dtype does not hold", async () => {
  const [i32, u32, u8] = ["i32", "u32", "u8"] as const;
  const wrong = [[u32, -1], [u32, 2 ** 32], [u32, NaN], [i32, 2 ** 31], [i32, -Infinity], [u8, 256], [u8, -1]] as const;
  for (const [dtype, value] of wrong) {
    const message = `got ${value} at 0`;
    assertThrows(() => tensor([value], { dtype }), RangeError, message);
    assertThrows(
      () => tensor(new Float32Array([value]), { dtype }),
      RangeError,
      `every element of ${dtype} must be in`,
    );
    assertThrows(() => full([2], value, { dtype }), RangeError, message);
    assertThrows(() => fill(zeros([2], { dtype }), value), RangeError, message);
  }
  assertEquals(await tensor([-0.5, 4294967295.5], { dtype: "u32" }).data(), new Uint32Array([0, 4294967295]));
});

Deno.test("zeros(), full(), arange() and eye() refuse shapes and values of another type, and sizes beyond the device", () => {
  const given = (value: unknown) => value as number; // as untyped callers give it
  for (const value of ["1", null, undefined, true, 1n]) {
    assertThrows(
      () => full([1], given(value)),
      TypeError,
      "Cannot make a tensor as every element must be a number: got",
    );
  }
  for (const shape of [3, null, undefined, "3"]) {
    const message = `Cannot make a tensor as its shape must be an array of sizes: got ${shape}`;
    assertThrows(() => zeros(shape as unknown as number[]), TypeError, message);
  }
  assertThrows(() => arange(0, given("3")), TypeError, 'as start, stop and step must be a number: got "3" (string)');
  assertThrows(() => arange(0, Infinity), RangeError, "as start, stop and step must be finite: got 0, Infinity and 1");
  assertThrows(() => arange(0, NaN), RangeError, "as start, stop and step must be finite: got 0, NaN and 1");
  for (const make of [() => arange(0, 1e12), () => eye(1e6)]) {
    assertThrows(make, DeviceError, "Cannot allocate a tensor");
  }
});
