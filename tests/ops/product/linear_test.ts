import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { linear } from "../../../src/ops/product/linear.ts";
import { scope, type Shape, sizeOf, type Tensor, tensor, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { distinct, formsOn } from "./_forms.ts";
import { checkGolden } from "../shared/_golden.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);

function random(shape: Shape, seed: number): Tensor {
  return tensor(noise(sizeOf(shape), seed), { shape });
}

async function reference(x: Tensor, weight: Tensor, bias?: Tensor): Promise<Float64Array> {
  const [xs, ws, bs] = await Promise.all([x, weight, bias].map((t) => t?.data()));
  const [inner, cols] = weight.shape as [number, number];
  const y = new Float64Array(x.size / inner * cols);
  for (let i = 0; i < x.size / inner; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = bs?.[j] ?? 0;
      for (let k = 0; k < inner; k++) sum += xs![i * inner + k]! * ws![k * cols + j]!;
      y[i * cols + j] = sum;
    }
  }
  return y;
}

for (const form of distinct(formsOn(device))) { // matmul_test.ts has all
  Deno.test(`linear() agrees with float64, form ${form}`, async () => {
    using _ = scope();
    for (const [shape, out] of [[[5, 7], 3], [[2, 3, 8], 12], [[9], 5], [[4, 300], 1], [[70, 6], 130]] as const) {
      const x = random(shape, 1);
      const weight = random([shape.at(-1)!, out], 2);
      const bias = random([out], 3);
      await policy.with({ matmul: form }, async () => {
        const y = linear(x, weight, { bias });
        assertEquals(y.shape, [...shape.slice(0, -1), out]);
        assertClose(await y.data(), await reference(x, weight, bias), { rtol: TOLERANCE.sum });
        assertClose(await linear(x, weight).data(), await reference(x, weight), { rtol: TOLERANCE.sum });
      });
    }
  });
}

Deno.test("linear() splits a long sum and adds the bias once", async () => {
  using _ = scope();
  const [x, weight, bias] = [random([3, 9000], 1), random([9000, 6], 2), random([6], 3)];
  const y = linear(x, weight, { bias });
  assertClose(await y.data(), await reference(x, weight, bias), { rtol: TOLERANCE.sum });
});

Deno.test("linear() gradients match finite differences", async () => {
  using _ = scope();
  for (const [shape, out] of [[[5, 7], 3], [[2, 3, 8], 12], [[6], 1]] as const) {
    const inputs = [random(shape, 1), random([shape.at(-1)!, out], 2), random([out], 3)];
    await gradcheck((x, weight, bias) => linear(x!, weight!, { bias: bias! }), inputs);
  }
});

Deno.test("linear() sums the gradient of the bias over many rows", async () => {
  using _ = scope();
  const grad = random([2500, 3], 4);
  const bias = requireGrad(zeros([3]));
  backward(linear(zeros([2500, 1]), zeros([1, 3]), { bias }), { grad });
  const want = [0, 0, 0];
  (await grad.data()).forEach((v, i) => want[i % 3]! += v);
  assertClose(await bias.grad!.data(), want, { rtol: TOLERANCE.sum });
});

Deno.test("linear() of no rows is empty and has zero gradients", async () => {
  using _ = scope();
  const weight = requireGrad(random([4, 3], 1));
  const y = linear(zeros([0, 4]), weight);
  assertEquals(y.shape, [0, 3]);
  backward(y, { grad: zeros([0, 3]) });
  assertEquals(await weight.grad!.data(), new Float32Array(12));
});

Deno.test("linear() throws when the shapes do not match", () => {
  using _ = scope();
  const weight = zeros([4, 3]);
  assertThrows(() => linear(zeros([2, 5]), weight), TypeError, "got x [2,5] and weight [4,3]");
  assertThrows(() => linear(zeros([2, 4]), zeros([4])), TypeError, "got x [2,4] and weight [4]");
  assertThrows(() => linear(zeros([2, 0]), zeros([0, 3])), TypeError, "with in >= 1: got x [2,0] and weight [0,3]");
  assertThrows(() => linear(zeros([2, 4]), weight, { bias: zeros([4]) }), TypeError, "got bias [4] and weight [4,3]");
  assertThrows(() => linear(zeros([2, 4], { dtype: "i32" }), weight), TypeError, "must be f32: got i32 [2,4]");
});

Deno.test("linear() and its gradients agree with PyTorch", async () => {
  await checkGolden("linear", ([x, weight, bias]) => linear(x!, weight!, { bias }));
});
