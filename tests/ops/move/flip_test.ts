import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { flip } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const CASES: readonly (readonly [Shape, readonly number[]])[] = [
  [[1], [0]],
  [[7], [0]],
  [[3, 8], [0]],
  [[3, 5], [-1]],
  [[2, 3, 4, 5], [1, 2]],
  [[2, 4, 8], [1]],
];

Deno.test("flip() equals the loop along any axes", async () => {
  for (const [shape, dims] of CASES) {
    const values = noise(sizeOf(shape));
    const flipped = shape.map((_, axis) => dims.includes(axis) || dims.includes(axis - shape.length));
    const expected = arrange(
      shape,
      (...index) => at(values, shape, index.map((i, axis) => flipped[axis] ? shape[axis]! - 1 - i : i)),
    );
    assertEquals(await flip(tensor(values, { shape }), dims).data(), expected);
  }
});

Deno.test("flip() gradient matches finite differences", async () => {
  for (const [shape, dims] of CASES) {
    await gradcheck((x) => flip(x, dims), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("flip() equals PyTorch", () =>
  checkGolden("flip", ([x], attrs) => flip(x!, attrs.dim as number[]), { value: 0, gradient: 0 }));

Deno.test("flip() takes indices as well as floats, and empty arrays", async () => {
  assertEquals(await flip(tensor(new Uint32Array([1, 2, 3])), 0).data(), new Uint32Array([3, 2, 1]));
  assertEquals(flip(ones([0, 2]), 0).shape, [0, 2]);
});

Deno.test("flip() throws on wrong dims and bytes", () => {
  assertThrows(() => flip(ones([2]), 1), RangeError, "Cannot compute flip() as dim must be in [-1, 0]: got 1");
  assertThrows(() => flip(ones([2, 2]), [0, 0]), RangeError, "Cannot compute flip() as dims must differ: got [0,0]");
  assertThrows(() => flip(ones([2], { dtype: "u8" }), 0), TypeError, "flip() as x must be f32, i32 or u32: got u8 [2]");
});
