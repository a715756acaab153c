import { assertEquals } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { add, cast, mul } from "../../../src/ops/mod.ts";
import { addNorms, addsNormalized } from "../../../src/ops/norm/add_norms.ts";
import { batchNorm } from "../../../src/ops/norm/batch_norm.ts";
import { sliceMoments } from "../../../src/ops/norm/batch_norm_passes.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { key, normal, ones, scope, type Shape, sum, type Tensor, tensor, zeros } from "../../../mod.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";
import { eachFamily } from "../shared/_forms.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();
const policy = policyOf(device);
const EPS = 1e-5;

interface Run {
  shape: Shape;
  mean?: number;
  dtype?: "f32" | "f16";
  fused: boolean;
  /** Uses of the sum: with two, its gradients come apart. */
  uses?: 1 | 2;
  retainGraph?: boolean;
}

/** Sum, gradients, statistics; gradients twice over where the graph is kept. */
async function run({ shape, mean = 3, dtype = "f32", fused, uses = 1, retainGraph = false }: Run) {
  using _ = scope();
  const channels = shape.at(-1)!;
  const side = (id: number) => ({
    x: requireGrad(cast(normal(shape, { key: key(id), mean, std: 2 }), dtype)),
    weight: requireGrad(normal([channels], { key: key(id + 1), mean: 1 })),
    bias: requireGrad(normal([channels], { key: key(id + 2) })),
    running: { mean: zeros([channels]), variance: ones([channels]), momentum: 0.1 },
  });
  const [a, b] = [side(10), side(20)];
  const given = { ...b, eps: EPS, moments: sliceMoments(b.x) };
  const options = ({ weight, bias, running }: typeof a) => {
    return { weight, bias, training: true, eps: EPS, runningMean: running.mean, runningVar: running.variance };
  };
  const y = fused
    ? addNorms(a.x, { ...a, eps: EPS, moments: null }, b.x, given)
    : batchNorm(a.x, { ...options(a), residual: batchNorm(b.x, options(b)), relu: true });
  const weigh = (id: number) => mul(y, normal(shape, { key: key(id) }));
  const loss = sum(uses === 2 ? add(weigh(1), weigh(2)) : weigh(1));
  backward(loss, { retainGraph });
  if (retainGraph) backward(loss);
  const made = [a, b].flatMap(({ x, weight, bias, running }) =>
    [x.grad, weight.grad, bias.grad, running.mean, running.variance] as Tensor[]
  );
  assertEquals([y.dtype, made[0]!.dtype], [dtype, dtype]);
  return await Promise.all([y, ...made].map((each) => each.data()));
}

/** Compares the op with the two that it stands for. */
async function compare(settings: Omit<Run, "fused">, rtol: number = TOLERANCE.sum): Promise<void> {
  const [fused, apart] = [await run({ ...settings, fused: true }), await run({ ...settings, fused: false })];
  fused.forEach((values, i) => assertClose(values, apart[i]!, { rtol }));
}

for (const shape of [[2, 1], [3, 5, 7, 6], [2, 9, 9, 12], [2, 3, 3, 260]]) {
  Deno.test(`addNorms() and its gradients are those of two batch normalisations on [${shape}]`, async () => {
    await compare({ shape, uses: 2 });
  });
}

Deno.test("addNorms() merges the sums of many rows, keeps a graph and large means", async () => {
  await eachFamily(device, () => compare({ shape: [2, 70, 70, 4] }));
  await compare({ shape: [2, 4, 4, 8], retainGraph: true });
  await compare({ shape: [2, 9, 9, 8], mean: 300 }, 1e-3); // x is rounded to the precision of its mean
});

testWith(device, "shader-f16", "addNorms() of f16 is two batch normalisations of f16", async () => {
  await compare({ shape: [2, 9, 9, 8], dtype: "f16", uses: 2 }, 4e-3);
});

Deno.test("addNorms() makes only the gradients that are wanted", async () => {
  using _ = scope();
  const norm = () => ({
    ...{ weight: requireGrad(ones([4])), bias: ones([4]), eps: EPS, moments: null },
    running: { mean: zeros([4]), variance: ones([4]), momentum: 0.1 },
  });
  const [ofX, ofR] = [norm(), norm()];
  const x = normal([6, 4], { key: key(1) });
  backward(sum(addNorms(x, ofX, normal([6, 4], { key: key(2) }), ofR)));
  assertEquals([x.grad, ofX.bias.grad], [null, null]);
  assertEquals((await ofX.weight.grad!.data()).length, 4);
});

Deno.test("addNorms() keeps NaN, which ReLU does not turn to 0", async () => {
  using _ = scope();
  const norm = {
    ...{ weight: ones([4]), bias: zeros([4]), eps: EPS, moments: null },
    running: { mean: zeros([4]), variance: ones([4]), momentum: 0 },
  };
  const x = tensor([[NaN, 1, 2, 3], [1, 2, 3, 4]]);
  const y = await addNorms(x, norm, ones([2, 4]), norm).data();
  assertEquals([...y].map(Number.isNaN), [true, false, false, false, true, false, false, false]);
});

Deno.test("addsNormalized() wants alike tensors with statistics where the adapter normalises what it reads", async () => {
  using _ = scope();
  const x = ones([2, 4]);
  await policy.with({ normalized: "read" }, () => {
    assertEquals(addsNormalized(x, ones([2, 4])), true);
    assertEquals(addsNormalized(x, ones([2, 8])), false);
    assertEquals(addsNormalized(x, ones([2, 4], { dtype: "i32" })), false);
    assertEquals(addsNormalized(ones([1, 4]), ones([1, 4])), false);
  });
  await policy.with({ normalized: "kept" }, () => assertEquals(addsNormalized(x, x), false));
});
