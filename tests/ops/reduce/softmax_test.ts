import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { logSoftmax, logSumExp, softmax } from "../../../src/ops/mod.ts";
import { ones, sizeOf, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { reduction } from "./_reduction.ts";
import { REDUCTIONS } from "./_reduction_cases.ts";

await Device.open();

function logSum(group: Float64Array): number {
  const largest = Math.max(...group);
  return largest + Math.log(group.reduce((sum, v) => sum + Math.exp(v - largest), 0));
}

Deno.test("logSumExp() equals the float64 loop over any axes", async () => {
  for (const [shape, dims] of REDUCTIONS) {
    const values = noise(sizeOf(shape)).map((v) => 5 * v);
    const expected = reduction(values, shape, dims, logSum);
    assertClose(await logSumExp(tensor(values, { shape }), { dim: dims }).data(), expected, { rtol: TOLERANCE.value });
  }
});

Deno.test("softmax() and logSoftmax() equal the float64 loop along any axis", async () => {
  const cases = [[[1], 0], [[5, 7], 1], [[5, 7], 0], [[3, 5, 4], 1], [[3, 5, 8], 2], [[2, 1030], 1]] as const;
  for (const [shape, dim] of cases) {
    const values = noise(sizeOf(shape)).map((v) => 5 * v);
    const x = tensor(values, { shape });
    const [soft, log] = [await softmax(x, dim).data(), await logSoftmax(x, dim).data()];
    // Softmax is 1 at x itself, so the loop is over x less its own sum.
    const size = shape[dim]!;
    const inner = sizeOf(shape.slice(dim + 1));
    const sums = reduction(values, shape, [dim], logSum);
    const expected = Float64Array.from(values, (v, i) => v - sums[Math.floor(i / (size * inner)) * inner + i % inner]!);
    assertClose(log, expected, { rtol: TOLERANCE.value });
    assertClose(soft, expected.map(Math.exp), { rtol: TOLERANCE.value });
  }
});

Deno.test("logSumExp(), softmax() and logSoftmax() gradients match finite differences", async () => {
  for (const [shape, dims] of REDUCTIONS.slice(0, 13)) {
    const x = tensor(noise(sizeOf(shape)), { shape });
    await gradcheck((x) => logSumExp(x, { dim: dims }), x);
    if (dims.length > 1 || shape[dims[0]!] === 1) continue;
    await gradcheck((x) => softmax(x, dims[0]!), x);
    await gradcheck((x) => logSoftmax(x, dims[0]!), x);
  }
});

Deno.test("softmax() gradient is 0 where there is one element", async () => {
  await gradcheck((x) => softmax(x, 1), ones([3, 1]));
  await gradcheck((x) => logSoftmax(x, 1), ones([3, 1]));
});

Deno.test("logSumExp() equals PyTorch", () => checkGolden("logSumExp", ([x], attrs) => logSumExp(x!, attrs)));

Deno.test("softmax() equals PyTorch", () => checkGolden("softmax", ([x], attrs) => softmax(x!, attrs.dim as number)));

Deno.test("logSoftmax() equals PyTorch", () =>
  checkGolden("logSoftmax", ([x], attrs) => logSoftmax(x!, attrs.dim as number)));

Deno.test("logSumExp(), softmax() and logSoftmax() neither overflow nor lose small differences", async () => {
  const x = tensor([[1e4, 1e4 + 1], [-1e4, -1e4 - 1], [3e38, -3e38]]);
  const p = 1 / (1 + Math.exp(-1));
  assertClose(await softmax(x).data(), [1 - p, p, p, 1 - p, 1, 0], { rtol: TOLERANCE.value });
  const expected = [Math.log(1 - p), Math.log(p), Math.log(p), Math.log(1 - p)];
  assertClose((await logSoftmax(x).data()).subarray(0, 4), expected, { rtol: TOLERANCE.value });
  assertClose(await logSumExp(x, { dim: 1 }).data(), [1e4 + 1 - Math.log(p), -1e4 - Math.log(p), 3e38], { rtol: 1e-6 });
});

Deno.test("logSumExp() of infinities is infinite, and NaN passes on", async () => {
  const x = tensor([[-Infinity, -Infinity], [Infinity, 0], [0, -Infinity], [NaN, 0]]);
  assertEquals(await logSumExp(x, { dim: 1 }).data(), new Float32Array([-Infinity, Infinity, 0, NaN]));
  assertEquals((await softmax(x).data()).subarray(4), new Float32Array([1, 0, NaN, NaN]));
});

const CALLS: Record<string, (x: Tensor, dim: number) => Tensor> = {
  logSumExp: (x, dim) => logSumExp(x, { dim }),
  softmax,
  logSoftmax,
};
for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`${name}() throws when there is nothing to sum, the dim is out of range or the dtype is not f32`, () => {
    assertThrows(
      () => call(ones([2, 0]), 1),
      TypeError,
      `Cannot compute ${name}() as there must be something to sum: got x [2,0] along [1]`,
    );
    assertThrows(() => call(ones([2]), 1), RangeError, `Cannot compute ${name}() as dim must be in [-1, 0]: got 1`);
    assertThrows(
      () => call(ones([2], { dtype: "u32" }), 0),
      TypeError,
      `Cannot compute ${name}() as x must be f32: got u32 [2]`,
    );
  });
}

Deno.test("softmax() and logSoftmax() are NaN along a slice with +∞, or of nothing but −∞, as PyTorch's", async () => {
  const inf = Infinity;
  const x = tensor([[inf, 0, 1], [inf, inf, -inf], [-inf, -inf, -inf], [0, -inf, -inf], [NaN, 0, 1]]);
  const nan = [NaN, NaN, NaN];
  assertEquals(Array.from(await softmax(x).data()), [...nan, ...nan, ...nan, 1, 0, 0, ...nan]);
  assertEquals(Array.from(await logSoftmax(x).data()), [...nan, ...nan, ...nan, 0, -inf, -inf, ...nan]);
  assertEquals(Array.from(await logSumExp(x, { dim: 1 }).data()), [inf, inf, -inf, 0, NaN]);
});
