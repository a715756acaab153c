import { assert, assertEquals } from "@std/assert";
import { autocast, backward } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { key, normal, ones, requireGrad, scope, type Tensor, tensor, zeros } from "../../../mod.ts";
import { batchNorm, cast, conv2d } from "../../../src/ops/mod.ts";
import type { Conv2dFormName } from "../../../src/ops/conv/_conv2d_forms.ts";
import { normConv2d, readsNormalized } from "../../../src/ops/conv/norm_conv2d.ts";
import { mergeMoments } from "../../../src/ops/norm/batch_norm_passes.ts";
import type { ProductFormName } from "../../../src/ops/product/forms.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { type ConvCase, convReference, eachTap } from "./_conv2d_reference.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();
const policy = policyOf(device);
const EPS = 1e-5;

/** A convolution of `relu(batchNorm(x))` and its gradients by plain float64 loops; `shift` is added to every x. */
function reference(each: ConvCase, shift: number) {
  const { g, x: plain, weight, gradY, outShape } = convReference(each);
  const channels = g.inChannels;
  const x = plain.map((v) => v + shift);
  const [scale, offset] = [noise(channels, 5).map((v) => 1 + v / 2), noise(channels, 6)];
  const rows = x.length / channels;
  const of = (term: (i: number) => number) => {
    const sums = new Float64Array(channels);
    for (let i = 0; i < x.length; i++) sums[i % channels]! += term(i);
    return sums;
  };
  const mean = of((i) => x[i]! / rows);
  const variance = of((i) => (x[i]! - mean[i % channels]!) ** 2 / rows);
  const hat = Float64Array.from(x, (v, i) => (v - mean[i % channels]!) / Math.sqrt(variance[i % channels]! + EPS));
  const z = hat.map((v, i) => Math.max(0, v * scale[i % channels]! + offset[i % channels]!));
  const [y, gradZ] = [new Float64Array(gradY.length), new Float64Array(x.length)];
  const gradWeight = new Float64Array(weight.length);
  eachTap(g, (p, q, r) => {
    y[p]! += z[q]! * weight[r]!;
    gradZ[q]! += z[q]! > 0 ? gradY[p]! * weight[r]! : 0;
    gradWeight[r]! += gradY[p]! * z[q]!;
  });
  const [gradOffset, gradScale] = [of((i) => gradZ[i]!), of((i) => gradZ[i]! * hat[i]!)];
  const gradX = gradZ.map((v, i) => {
    const c = i % channels;
    return scale[c]! / Math.sqrt(variance[c]! + EPS) * (v - gradOffset[c]! / rows - hat[i]! * gradScale[c]! / rows);
  });
  const running = [mean.map((m) => 0.1 * m), variance.map((v) => 0.9 + 0.1 * v * rows / (rows - 1))];
  return { x, scale, offset, weight, gradY, outShape, want: [y, gradX, gradScale, gradOffset, gradWeight, ...running] };
}

async function check(each: ConvCase, shift = 0): Promise<void> {
  using _ = scope();
  const { x, scale, offset, weight, gradY, outShape, want } = reference(each, shift);
  const inputs = [tensor(x, { shape: each.x }), tensor(scale), tensor(offset), tensor(weight, { shape: each.weight })];
  const [images, a, b, w] = inputs.map((input) => requireGrad(input)) as [Tensor, Tensor, Tensor, Tensor];
  const running = { mean: zeros([scale.length]), variance: ones([scale.length]), momentum: 0.1 };
  assert(readsNormalized(images, w, each.options));
  const { y, moments } = normConv2d(images, { weight: a, bias: b, running, eps: EPS, moments: null }, w, each.options);
  assertEquals(y.shape, outShape);
  backward(y, { grad: tensor(gradY, { shape: outShape }) });
  const made = [y, images.grad!, a.grad!, b.grad!, w.grad!, running.mean, running.variance];
  const got = await Promise.all(made.map((t) => t.data()));
  // x is rounded to the precision of its mean.
  const rtol = shift === 0 ? TOLERANCE.sum : 1e-3;
  want.forEach((expected, i) => assertClose(got[i]!, expected, { rtol }));
  if (moments) {
    assertClose((await mergeMoments(moments).data()).subarray(0, 1), [mean(want[0]!, outShape.at(-1)!)], {
      atol: 1e-4,
    });
  }
}

/** Mean of the first of so many channels. */
function mean(values: Float64Array, channels: number): number {
  return values.filter((_, i) => i % channels === 0).reduce((sum, v) => sum + v, 0) / (values.length / channels);
}

const SQUARE = { x: [2, 7, 6, 8], weight: [3, 3, 8, 12], options: { padding: 1 } } as const;
// One form each of how a is read: along channels and pixels of a product, by taps, by patches.
const CASES: readonly (readonly [Conv2dFormName, ProductFormName, ConvCase])[] = [
  ["product", "tile64of8x4", { x: [2, 9, 8, 16], weight: [1, 1, 16, 68], options: {} }],
  ["direct", "rows", { ...SQUARE, options: { padding: 1, stride: 2 } }],
  ["winograd3", "rows", SQUARE],
];

for (const [conv2d, matmul, each] of CASES) {
  Deno.test(`normConv2d() and its gradients agree with float64: ${conv2d}, form ${matmul}`, async () => {
    await policy.with({ normalized: "read", moments: "fused", conv2d, matmul }, async () => {
      await check(each);
      await check(each, 100);
    });
  });
}

Deno.test("normConv2d() keeps NaN, which ReLU does not turn to 0", async () => {
  await policy.with({ normalized: "read", conv2d: "direct", matmul: "rows" }, async () => {
    using _ = scope();
    const x = tensor(new Float32Array(2 * 8).fill(NaN, 8, 9), { shape: [2, 1, 1, 8] });
    const running = { mean: zeros([8]), variance: ones([8]), momentum: 0 };
    const norm = { weight: ones([8]), bias: zeros([8]), running, eps: EPS, moments: null };
    const { y } = normConv2d(x, norm, ones([1, 1, 8, 4]), {});
    assertEquals([...await y.data()].map(Number.isNaN), Array(8).fill(true));
  });
});

testWith(
  device,
  "f16 that is not read",
  "normConv2d() in f16 is the two ops, but for the rounding of what lies between",
  async () => {
    await policy.with({ normalized: "read", conv2d: "direct", matmul: "rows" }, async () => {
      const results = async (fused: boolean) => {
        using _ = scope();
        const x = requireGrad(cast(normal([2, 6, 6, 8], { key: key(1) }), "f16"));
        const [weight, bias, w] = [ones([8]), zeros([8]), normal([3, 3, 8, 4], { key: key(2) })].map((t) =>
          requireGrad(t)
        ) as [Tensor, Tensor, Tensor];
        const [runningMean, runningVar] = [zeros([8]), ones([8])];
        const running = { mean: runningMean, variance: runningVar, momentum: 0.1 };
        const y = autocast(() =>
          fused
            ? normConv2d(x, { weight, bias, running, eps: EPS, moments: null }, w, { padding: 1 }).y
            : conv2d(batchNorm(x, { weight, bias, runningMean, runningVar, training: true, relu: true }), w, {
              padding: 1,
            })
        );
        assertEquals(y.dtype, "f16");
        backward(y, { grad: normal(y.shape, { key: key(3) }) });
        const made = [y, x.grad!, weight.grad!, bias.grad!, w.grad!, runningMean, runningVar];
        return await Promise.all(made.map((t) => cast(t, "f32").data())); // Node 20 holds no f16
      };
      const [fused, apart] = [await results(true), await results(false)];
      fused.forEach((values, i) => assertClose(values, apart[i]!, { rtol: 2e-3 }));
    });
  },
);

testWith(device, "f16 that is not read", "readsNormalized() wants f16 for products in f16", async () => {
  using _ = scope();
  const takes = () => autocast(() => readsNormalized(ones([1, 4, 4, 8]), ones([1, 1, 8, 4]), { groups: 1 }));
  assertEquals(await policy.with({ normalized: "read" }, takes), false);
});

Deno.test("readsNormalized() wants whole vectors of one group", async () => {
  await policy.with({ normalized: "read" }, () => {
    using _ = scope();
    const takes = (x: Tensor, w: Tensor, groups = 1) => readsNormalized(x, w, { groups });
    assertEquals(takes(ones([1, 4, 4, 8]), ones([1, 1, 8, 4])), true);
    assertEquals(takes(ones([1, 4, 4, 16]), ones([1, 1, 8, 4]), 2), false);
    assertEquals(takes(ones([1, 4, 4, 4]), ones([1, 1, 4, 4])), false);
    assertEquals(takes(ones([1, 4, 4, 8]), ones([1, 1, 8, 6])), false);
    assertEquals(takes(ones([0, 4, 4, 8]), ones([1, 1, 8, 4])), false);
    assertEquals(takes(ones([1, 1, 1, 8]), ones([1, 1, 8, 4])), false);
  });
  await policy.with({ normalized: "remade" }, () => {
    using _ = scope();
    assertEquals(readsNormalized(ones([1, 4, 4, 8]), ones([1, 1, 8, 4]), {}), false);
  });
});
