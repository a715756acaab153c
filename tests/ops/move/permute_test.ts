import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { permute, transpose } from "../../../src/ops/mod.ts";
import { arange, ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const CASES: readonly (readonly [Shape, readonly number[]])[] = [
  [[], []],
  [[5], [0]],
  [[3, 5], [1, 0]],
  [[2, 3, 8], [1, 0, 2]],
  [[2, 3, 4, 5], [0, 3, 1, 2]],
  [[2, 1, 4, 5], [3, 1, 0, 2]],
  [[2, 2, 3, 2, 2, 3, 2, 2], [7, 5, 3, 1, 6, 4, 2, 0]],
];

Deno.test("permute() equals the loop for words of any dtype", async () => {
  for (const [shape, dims] of CASES) {
    const values = noise(sizeOf(shape));
    const to = dims.map((dim) => shape[dim]!);
    const expected = arrange(to, (...index) => at(values, shape, shape.map((_, axis) => index[dims.indexOf(axis)]!)));
    const y = permute(tensor(values, { shape }), dims);
    assertEquals(y.shape, to);
    assertEquals(await y.data(), expected);
  }
  const words = permute(tensor([[1, 2], [-3, 4]], { dtype: "i32" }), [1, 0]);
  assertEquals(await words.data(), new Int32Array([1, -3, 2, 4]));
});

Deno.test("permute() gradient matches finite differences", async () => {
  for (const [shape, dims] of CASES) {
    await gradcheck((x) => permute(x, dims), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("permute() equals PyTorch", () =>
  checkGolden("permute", ([x], attrs) => permute(x!, attrs.dims as number[]), { value: 0, gradient: 0 }));

Deno.test("permute() copies nothing where only axes of size 1 move", () => {
  const x = ones([3, 1, 4]);
  assertStrictEquals(permute(x, [1, 0, 2]).storage, x.storage);
});

Deno.test("transpose() swaps two axes, the last two by default", async () => {
  const x = arange(0, 24);
  assertEquals(transpose(x.alias([2, 3, 4])).shape, [2, 4, 3]);
  assertEquals(transpose(x.alias([2, 3, 4]), 0, -1).shape, [4, 3, 2]);
  const y = transpose(transpose(x.alias([2, 3, 4]), 0, 2), 2, 0);
  assertEquals(await y.data(), await x.data());
});

Deno.test("permute() of an empty tensor is empty", () => {
  assertEquals(permute(ones([0, 3]), [1, 0]).shape, [3, 0]);
});

Deno.test("permute() and transpose() throw on wrong dims and bytes", () => {
  const x = ones([2, 3]);
  const rule = "Cannot compute permute() as dims must name every axis once: got x [2,3] and";
  assertThrows(() => permute(x, [0]), TypeError, `${rule} [0]`);
  assertThrows(() => permute(x, [0, -2]), TypeError, `${rule} [0,-2]`);
  assertThrows(() => permute(x, [0, 2]), RangeError, "Cannot compute permute() as dim must be in [-2, 1]: got 2");
  assertThrows(() => transpose(x, 0, 2), RangeError, "Cannot compute transpose() as dim must be in [-2, 1]: got 2");
  const bytes = ones([2, 2], { dtype: "u8" });
  assertThrows(() => permute(bytes, [1, 0]), TypeError, "permute() as x must be f32, i32 or u32: got u8 [2,2]");
  assertThrows(() => transpose(bytes), TypeError, "transpose() as x must be f32, i32 or u32: got u8 [2,2]");
});

Deno.test("permute() throws past eight axes that cannot be joined", () => {
  const x = ones(new Array(9).fill(2));
  assertThrows(
    () => permute(x, [8, 7, 6, 5, 4, 3, 2, 1, 0]),
    TypeError,
    "Cannot compute permute() as at most 8 axes can be walked at once: got [2,2,2,2,2,2,2,2,2]",
  );
});
