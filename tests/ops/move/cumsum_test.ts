import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { cumsum } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

// 64 rows are a block, 64 blocks one of blocks.
const CASES: readonly (readonly [Shape, number])[] = [
  [[1], 0],
  [[64], 0],
  [[65, 3], 0],
  [[2, 129], -1],
  [[2, 5, 4], 1],
  [[3, 200, 2], 1],
];

Deno.test("cumsum() equals the float64 loop along any axis, and finite differences", async () => {
  for (const [shape, dim] of CASES) {
    const axis = dim < 0 ? dim + shape.length : dim;
    const values = noise(sizeOf(shape));
    const expected = arrange(shape, (...index) => {
      let sum = 0;
      for (let i = 0; i <= index[axis]!; i++) sum += at(values, shape, index.with(axis, i));
      return sum;
    });
    const x = tensor(values, { shape });
    assertClose(await cumsum(x, dim).data(), expected, { rtol: TOLERANCE.sum, atol: 1e-6 });
    await gradcheck((x) => cumsum(x, dim), x);
  }
});

Deno.test("cumsum() counts to 20,000 exactly", async () => {
  const sums = await cumsum(ones([20_000]), 0).data();
  assertEquals(sums, Float32Array.from(sums, (_, i) => i + 1));
});

Deno.test("cumsum() keeps NaN from where it comes, and is empty of nothing", async () => {
  assertEquals(await cumsum(tensor([1, NaN, 2]), 0).data(), new Float32Array([1, NaN, NaN]));
  assertEquals(cumsum(zeros([2, 0]), 1).shape, [2, 0]);
});

Deno.test("cumsum() equals PyTorch", () =>
  checkGolden("cumsum", ([x], attrs) => cumsum(x!, attrs.dim as number), {}, "transformers"));

Deno.test("cumsum() throws on another dtype or axis", () => {
  assertThrows(
    () => cumsum(ones([3], { dtype: "u32" }), 0),
    TypeError,
    "Cannot compute cumsum() as x must be f32: got u32 [3]",
  );
  assertThrows(() => cumsum(ones([3]), 1), RangeError, "Cannot compute cumsum() as dim must be in [-1, 0]: got 1");
});
