import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { augment, evalTransform } from "../../src/data/augment/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { crossEntropy, layerNorm, logSumExp, softmax, tanh } from "../../src/ops/mod.ts";
import { key, scope, type Tensor, tensor, uniform } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { withLoose, withLooseFunctions } from "./_loose.ts";

Deno.test("withLooseFunctions() loosens functions and divisions of floats, and leaves those of integers", () => {
  assertEquals(
    withLooseFunctions(
      "let a = sqrt(max(x, 1.0)) / 3.0; let i = j / 4u; let b = fma(a, b[i], f(c, d)); // exp(x) / 2.0",
    ),
    "let a = (sqrt(max(x, 1.0)) * 1.000000477) * 1.000000238 / 3.0; let i = j / 4u; " +
      "let b = ((a) * ( b[i]) + ( f(c, d))); // exp(x) / 2.0",
  );
  assertEquals(
    withLooseFunctions("exp(log(x))"),
    "(exp(((log(x) + 4.76837158203125e-7)) * 1.000000238) * 1.000000358)",
  );
});

/** Rows far from 0, where a mean must be right to their own differences. */
const far = (device: Device): Tensor => tensor([[1e4 + 1, 1e4 - 1, 1e4 + 1, 1e4 - 1, 1e4, 1e4]], { device });

/** Values that rest on `exp`, `log`, `sqrt` and divisions. */
async function values(gpu: GPU): Promise<number[][]> {
  await using device = await Device.open({ gpu });
  using _ = scope();
  const x = uniform([24, 20], { key: key(1) });
  const loss = crossEntropy(x, tensor(Uint32Array.from({ length: 24 }, (_, i) => i % 20)));
  const uniformity = decoupledUniformity(uniform([12, 2, 20], { key: key(2) }));
  const all = [
    softmax(x),
    logSumExp(x, { dim: 1 }),
    layerNorm(x),
    layerNorm(far(device), { eps: 1e-12 }),
    loss,
    uniformity,
    tanh(x),
  ];
  return await Promise.all(all.map(async (each) => Array.from(await each.data())));
}

Deno.test("softmax, norms and losses stay within their tolerances where functions are as inexact as WGSL allows", async () => {
  const [plain, loose] = [await values(navigator.gpu), await values(withLoose(navigator.gpu))];
  plain.forEach((each, i) => {
    assertNotEquals(each, loose[i]);
    assert(each.every(Number.isFinite));
    assertClose(loose[i]!, each, { rtol: TOLERANCE.sum });
  });
});

Deno.test("tanh() keeps its digits where WGSL's own is 1e-5 off", async () => {
  await using device = await Device.open({ gpu: withLoose(navigator.gpu) });
  const x = [-30, -3, -1, -0.3, 0.25, 0.7, 2, 5];
  assertClose(await tanh(tensor(x, { device })).data(), x.map(Math.tanh), { rtol: TOLERANCE.value });
});

/** Views of noise that are turned and sheared by any angle. */
async function turned(gpu: GPU): Promise<Float32Array> {
  await using device = await Device.open({ gpu });
  using _ = scope();
  const images = tensor(Uint8Array.from({ length: 6 * 24 * 24 * 3 }, (_, i) => i * i * 31 % 251), {
    shape: [6, 24, 24, 3],
    device,
  });
  const still = evalTransform({ size: 24, mean: [0, 0, 0], std: [1, 1, 1] });
  const recipe = { ...still, rotation: 180, affine: { shear: 30 }, rotationInterpolation: "bilinear" } as const;
  return await augment(images, { indices: [0, 1, 2, 3, 4, 5], recipe, epoch: 1 }).data();
}

Deno.test("augment() turns views alike where sines are 2⁻¹¹ off", async () => {
  const [plain, loose] = [await turned(navigator.gpu), await turned(withLoose(navigator.gpu))];
  assertNotEquals(loose, plain);
  assertClose(loose, plain, { atol: 2e-4 });
});
