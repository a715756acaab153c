import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { mean, sum } from "../../../src/ops/mod.ts";
import { key, ones, sizeOf, tensor, uniform } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { reduction } from "./_reduction.ts";
import { REDUCTIONS } from "./_reduction_cases.ts";
import { eachFamily } from "../shared/_forms.ts";

const device = await Device.open();

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

Deno.test("sum() and mean() equal the float64 loop over any axes", () =>
  eachFamily(device, async () => {
    for (const [shape, dims] of REDUCTIONS) {
      const values = noise(sizeOf(shape)).map((v) => v + 0.25);
      const x = tensor(values, { shape });
      const expected = reduction(values, shape, dims, total);
      const count = x.size / expected.length;
      assertClose(await sum(x, { dim: dims }).data(), expected, { rtol: TOLERANCE.value });
      assertClose(await mean(x, { dim: dims }).data(), expected.map((v) => v / count), { rtol: TOLERANCE.value });
    }
  }));

Deno.test("sum() of a million elements is exact to 1e-6, in loops of at most 1,024", () =>
  eachFamily(device, async () => {
    const x = uniform([1_000_003], { key: key(1) });
    const expected = total(Float64Array.from(await x.data()));
    const actual = await sum(x).item();
    assert(Math.abs(actual - expected) / expected < 1e-6, `${actual} and ${expected}`);
  }));

Deno.test("sum() of ones counts exactly up to 2^24", async () => {
  assertEquals(await sum(ones([2 ** 12, 2 ** 12])).item(), 2 ** 24);
  assertEquals(await sum(ones([65537, 5]), { dim: 0 }).data(), new Float32Array(5).fill(65537));
});

Deno.test("sum() and mean() gradients match finite differences", async () => {
  for (const [shape, dims] of REDUCTIONS.slice(0, 13)) {
    const x = tensor(noise(sizeOf(shape)), { shape });
    await gradcheck((x) => sum(x, { dim: dims }), x);
    await gradcheck((x) => mean(x, { dim: dims, keepDim: true }), x);
  }
});

Deno.test("sum() equals PyTorch", () => checkGolden("sum", ([x], attrs) => sum(x!, attrs)));

Deno.test("mean() equals PyTorch", () => checkGolden("mean", ([x], attrs) => mean(x!, attrs)));

Deno.test("sum() keeps axes on demand, counts negative dims from the end, and takes all by default", () => {
  const x = ones([2, 3, 4]);
  assertEquals(sum(x).shape, []);
  assertEquals(sum(x, { dim: -1 }).shape, [2, 3]);
  assertEquals(sum(x, { dim: [0, -1], keepDim: true }).shape, [1, 3, 1]);
  assertEquals(sum(x, { keepDim: true }).shape, [1, 1, 1]);
  assertEquals(sum(x, { dim: [] }).shape, [2, 3, 4]);
});

Deno.test("sum() of nothing is 0", async () => {
  assertEquals(await sum(ones([0])).item(), 0);
  assertEquals(await sum(ones([0, 3]), { dim: 0 }).data(), new Float32Array(3));
  assertEquals(sum(ones([0, 3]), { dim: 1 }).shape, [0]);
});

Deno.test("sum() passes NaN and infinities on", async () => {
  assertEquals(await sum(tensor([1, NaN, 2])).item(), NaN);
  assertEquals(await sum(tensor([[1, Infinity], [2, 3]]), { dim: 1 }).data(), new Float32Array([Infinity, 5]));
});

Deno.test("mean() throws when there is nothing to average", () => {
  assertThrows(
    () => mean(ones([0, 3]), { dim: 0 }),
    TypeError,
    "Cannot compute mean() as there must be something to average: got x [0,3] along [0]",
  );
});

for (const [name, fn] of Object.entries({ sum, mean })) {
  Deno.test(`${name}() throws when a dim is out of range, given twice, or the dtype is not f32`, () => {
    const x = ones([2, 3]);
    assertThrows(
      () => fn(x, { dim: 2 }),
      RangeError,
      `Cannot compute ${name}() as dim must be in [-2, 1]: got 2`,
    );
    assertThrows(
      () => fn(x, { dim: [0, -2] }),
      RangeError,
      `Cannot compute ${name}() as dims must differ: got [0,-2]`,
    );
    assertThrows(
      () => fn(ones([2], { dtype: "i32" })),
      TypeError,
      `Cannot compute ${name}() as x must be f32: got i32 [2]`,
    );
  });
}
