import { assert, assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { attention, matmul, mul, selfAttention, softmax } from "../../../src/ops/mod.ts";
import { key, normal, ones, type Shape, type Tensor, tensor, zeros } from "../../../src/tensor/mod.ts";
import { castTo } from "../../../src/tensor/internal.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { checkGolden } from "../shared/_golden.ts";
import { eachFamily } from "../shared/_forms.ts";
import { testWith } from "../../device/_features.ts";

// Heads of 8 where the form for GPUs runs: it compiles for seconds, once a width.
const device = await Device.open();
const random = (shape: Shape, seed: number) => normal(shape, { key: key(seed) });

/** Attention of one head in float64; element (i, c) is at from + i · row + c. */
function reference(
  x: ArrayLike<number>,
  { q, k, v, row, n, d }: Record<"q" | "k" | "v" | "row" | "n" | "d", number>,
): number[][] {
  return Array.from({ length: n }, (_, i) => {
    const scores = Array.from({ length: n }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += x[q + i * row + c]! * x[k + j * row + c]!;
      return Math.exp(sum / Math.sqrt(d));
    });
    const total = scores.reduce((a, b) => a + b, 0);
    return Array.from({ length: d }, (_, c) => scores.reduce((a, s, j) => a + s / total * x[v + j * row + c]!, 0));
  });
}

Deno.test("selfAttention() equals the float64 loop and finite differences in every form", async () => {
  const [batch, n, heads, d] = [2, 35, 2, 8] as const;
  const x = random([batch, n, 3 * heads * d], 1);
  const values = await x.data();
  const row = 3 * heads * d;
  const expected = new Float64Array(batch * n * heads * d);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const q = b * n * row + h * d;
      const rows = reference(values, { q, k: q + heads * d, v: q + 2 * heads * d, row, n, d });
      rows.forEach((out, i) => expected.set(out, ((b * n + i) * heads + h) * d));
    }
  }
  await eachFamily(device, async () => {
    assertClose(await selfAttention(x, { heads }).data(), expected, { rtol: TOLERANCE.sum });
    await gradcheck((x) => selfAttention(x, { heads }), x);
  });
});

Deno.test("attention() equals PyTorch in every form", () =>
  eachFamily(
    device,
    () => checkGolden("attention", ([q, k, v], attrs) => attention(q!, k!, v!, attrs), {}, "transformers"),
  ));

Deno.test("attention() takes widths that are no multiple of 4, and many queries a part at a time", async () => {
  const [q, k, v] = [random([2, 5, 6], 1), random([2, 3, 6], 2), random([2, 3, 6], 3)];
  await gradcheck((q, k, v) => attention(q, k, v, { scale: 0.3 }), [q, k, v]);
  // 2^21 / 40,000 = 52 queries at once: the sums over queries go on from part to part.
  const [many, keys] = [random([1, 60, 4], 4), random([1, 40_000, 4], 5)];
  const plain = (q: Tensor, k: Tensor, v: Tensor) => matmul(softmax(matmul(mul(q, 0.5), k, { transposeB: true })), v);
  const found: Float32Array[][] = [];
  for (const op of [plain, attention]) {
    const inputs = [many, keys, keys].map((x) => requireGrad(mul(x, 1))) as [Tensor, Tensor, Tensor];
    backward(op(...inputs), { grad: many });
    found.push(await Promise.all(inputs.map((x) => x.grad!.data() as Promise<Float32Array>)));
  }
  found[0]!.forEach((expected, i) => assertClose(found[1]![i]!, expected, { rtol: 1e-4 }));
});

Deno.test("attention() keeps the scores of no head: its gradient needs a few times the operands only", async () => {
  await eachFamily(device, () => {
    const x = requireGrad(random([8, 260, 3 * 4 * 8], 1)); // scores of all heads: 8.7 MB each
    const y = selfAttention(x, { heads: 4 });
    const before = device.memory.live;
    backward(y, { grad: ones(y.shape) });
    assert(device.memory.live - before < 2 * x.size * 4);
    return device.done();
  });
});

Deno.test("attention() takes large scores, and passes NaN on", async () => {
  await eachFamily(device, async () => {
    const rest = [0, 0, 0, 0, 0, 0, 0];
    const q = requireGrad(tensor([[[300, ...rest], [NaN, ...rest]]]));
    const k = tensor([[[300, ...rest], [-300, ...rest]]]);
    const v = tensor([[[1, 2, 3, 4, 5, 6, 7, 8], [9, ...rest]]]);
    const y = attention(q, k, v);
    assertClose(await y.data(), [1, 2, 3, 4, 5, 6, 7, 8, ...new Array(8).fill(NaN)]);
    backward(y, { grad: ones(y.shape) });
    const grad = await q.grad!.data();
    assertEquals([grad[0], grad[8]].map(Number.isNaN), [false, true]);
  });
});

testWith(device, "f16 that is not read", "selfAttention() of f16 gives f16, and a gradient in f16", async () => {
  const x = random([1, 9, 3 * 8], 1);
  const half = requireGrad(castTo(x, "f16"));
  const y = selfAttention(half, { heads: 1 });
  assertEquals(y.dtype, "f16");
  assertClose(await castTo(y, "f32").data(), await selfAttention(x, { heads: 1 }).data(), { rtol: 3e-3 }); // of f16 operands
  backward(y, { grad: castTo(ones(y.shape), "f16") });
  assertEquals(half.grad!.dtype, "f16");
});

Deno.test("attention() of nothing is nothing", () => {
  assertEquals(attention(zeros([0, 3, 4]), zeros([0, 2, 4]), zeros([0, 2, 4])).shape, [0, 3, 4]);
  assertEquals(selfAttention(zeros([0, 3, 12]), { heads: 1 }).shape, [0, 3, 4]);
});

Deno.test("attention() and selfAttention() throw on what they cannot use", () => {
  const x = ones([2, 3, 4]);
  assertThrows(
    () => attention(x, ones([2, 5, 8]), ones([2, 5, 8])),
    TypeError,
    "as q must be [..., n, d], k and v [..., m, d] with m and d >= 1: got q [2,3,4], k [2,5,8] and v [2,5,8]",
  );
  assertThrows(() => attention(x, x, ones([2, 3, 4], { dtype: "u32" })), TypeError, "x must be f32: got u32 [2,3,4]");
  for (const scale of [NaN, 1e39]) {
    assertThrows(() => attention(x, x, x, { scale }), RangeError, `scale must be finite: current value is ${scale}`);
  }
  const wide = ones([1, 2, 260]);
  assertThrows(() => attention(wide, wide, wide), RangeError, "a head must have at most 256 features: got 260");
  assertThrows(
    () => selfAttention(ones([1, 2, 10]), { heads: 2 }),
    TypeError,
    "qkv must be [batch, n, 3 heads d] with n and d >= 1: got [1,2,10] and 2 heads",
  );
  assertThrows(
    () => selfAttention(ones([1, 2, 18]), { heads: 1 }),
    RangeError,
    "Cannot compute selfAttention() as a head must have a multiple of 4 features: got 6",
  );
});
