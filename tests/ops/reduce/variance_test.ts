import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { sum, variance } from "../../../src/ops/mod.ts";
import { ones, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { reduction } from "./_reduction.ts";
import { REDUCTIONS } from "./_reduction_cases.ts";

await Device.open();

function varianceOf(group: Float64Array, correction: number): number {
  const mean = group.reduce((a, b) => a + b, 0) / group.length;
  return group.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (group.length - correction);
}

Deno.test("variance() equals the float64 loop, also far from 0", async () => {
  for (const [shape, dims] of REDUCTIONS) {
    if (sizeOf(dims.map((dim) => shape[dim]!)) < 2) continue;
    const values = noise(sizeOf(shape)).map((v) => 100 + v);
    for (const correction of [0, 1]) {
      const expected = reduction(values, shape, dims, (group) => varianceOf(group, correction));
      const actual = await variance(tensor(values, { shape }), { dim: dims, correction }).data();
      assertClose(actual, expected, { rtol: TOLERANCE.sum }); // the mean is rounded at 100
    }
  }
});

Deno.test("variance() gradient matches finite differences", async () => {
  for (const [shape, dims] of REDUCTIONS.slice(4, 12)) {
    await gradcheck((x) => variance(x, { dim: dims }), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("variance() equals PyTorch", () => checkGolden("variance", ([x], attrs) => variance(x!, attrs)));

Deno.test("variance() of all elements is a scalar with correction 1", async () => {
  const y = variance(tensor([[1, 2], [3, 6]]));
  assertEquals(y.shape, []);
  assertClose([await y.item()], [14 / 3]);
});

Deno.test("variance() is finite wherever an f32 holds it, and so is its gradient", async () => {
  const alternating = (length: number, value: number) => Array.from({ length }, (_, i) => i % 2 ? value : -value);
  const cases = [
    alternating(2, 1e19),
    alternating(1000, 1e19), // the sum of squares is no f32
    Array.from({ length: 100_000 }, (_, i) => i ? 0 : 1e21), // nor is a square
    [3e38, 3e38, 3e38], // nor the sum
    Array.from({ length: 64 }, (_, i) => 1e20 * (1 + i / 1024)),
    alternating(3, 1e-18),
  ];
  for (const numbers of cases) {
    const values = Float64Array.from(numbers, Math.fround);
    const mean = values.reduce((a, b) => a + b / values.length, 0);
    const x = requireGrad(tensor([numbers, numbers.map((_, i) => i)]));
    const y = variance(x, { dim: 1 });
    const others = Float64Array.from(numbers, (_, i) => i);
    assertClose(await y.data(), [varianceOf(values, 1), varianceOf(others, 1)], { rtol: 1e-6 });
    backward(sum(y));
    const grads = values.map((v) => 2 * (v - mean) / (values.length - 1));
    assertClose((await x.grad!.data()).subarray(0, values.length), grads, { rtol: 1e-5, atol: 1e-30 });
  }
  for (const numbers of [[1e38, -1e38], [3.4e38, -3.4e38, 0]]) {
    assertEquals(await variance(tensor(numbers)).item(), Infinity);
  }
  for (const numbers of [[1, NaN, 2], [1, Infinity, 2]]) assertEquals(await variance(tensor(numbers)).item(), NaN);
});

Deno.test("variance() throws when there are too few elements or the dtype is not f32", () => {
  assertThrows(
    () => variance(ones([3, 1]), { dim: 1 }),
    RangeError,
    "Cannot compute variance() as there must be more than 1 elements: got 1 of x [3,1]",
  );
  assertEquals(variance(ones([3, 1]), { dim: 1, correction: 0 }).shape, [3]);
  assertThrows(
    () => variance(ones([0]), { correction: 0 }),
    RangeError,
    "Cannot compute variance() as there must be more than 0 elements: got 0 of x [0]",
  );
  assertThrows(() => variance(ones([2], { dtype: "u32" })), TypeError, "variance() as x must be f32: got u32 [2]");
});
