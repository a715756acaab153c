import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { centroidWeights, cosine, type Kernel, linearKernel, rbf, retainedVariance } from "../../src/kernels/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { viewCentroids } from "../../src/ops/mod.ts";
import { full, key, normal, ones, scope, tensor } from "../../src/tensor/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { assertGolden, casesOf, tensorOf } from "../fixtures/golden.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { points } from "../ops/shared/_arrays.ts";
import { eachFamily } from "../ops/shared/_forms.ts";

const device = await Device.open();

interface Attrs {
  readonly kernel: "rbf" | "cosine" | "linear";
  readonly sigma?: number;
  readonly ridge: number;
  readonly float32Error: number;
}

function kernelOf({ kernel, sigma }: Attrs): Kernel {
  if (kernel === "rbf") return rbf({ sigma: sigma! });
  return kernel === "cosine" ? cosine() : linearKernel();
}

Deno.test("centroidWeights() equals PyTorch's inverse", () =>
  eachFamily(device, async () => {
    const golden = readFixture("losses");
    for (const one of casesOf("losses", "centroidWeights")) {
      const attrs = one.attrs as unknown as Attrs;
      const run = (prior: Parameters<Kernel>[0]) =>
        centroidWeights(prior, { kernel: kernelOf(attrs), ridge: attrs.ridge });
      // The condition of K + λI multiplies the rounding of K: allow ten times what PyTorch loses in float32.
      await assertGolden(golden, one, (prior) => run(prior!), { value: 2e-6 + 10 * attrs.float32Error });
    }
  }));

Deno.test("retainedVariance() equals PyTorch's distances after and before the weights", async () => {
  const golden = readFixture("losses");
  for (const { name } of casesOf("losses", "centroidWeights")) {
    using _ = scope();
    const weights = tensorOf(golden, `${name}.out`);
    const [after, before, orthonormal] = ["distanceAfter", "distanceBefore", "distanceOfOrthonormal"]
      .map((key) => floatsOf(golden, `${name}.${key}`)[0]!);
    const centroids = viewCentroids(tensorOf(golden, `${name}.z`));
    const measured = await retainedVariance(weights, { centroids }).item();
    assertAlmostEquals(measured, after! / before!, 1e-4 * measured + 1e-7);
    assertAlmostEquals(await retainedVariance(weights).item(), orthonormal! / 2, 1e-4 * measured + 1e-7);
  }
});

Deno.test("centroidWeights() of a constant prior are 1 / (n + ridge), and the loss is 0", async () => {
  const n = 6;
  const weights = centroidWeights(ones([n, 3]), { kernel: rbf({ sigma: 1 }), ridge: 0.5 });
  assertClose(await weights.data(), new Array(n * n).fill(1 / (n + 0.5)), { rtol: 1e-5 });
  const z = requireGrad(normal([n, 2, 4], { key: key(1) }));
  const loss = decoupledUniformity(z, { weights });
  backward(loss);
  assertAlmostEquals(await loss.item(), 0, 1e-6);
  for (const g of await z.grad!.data()) assertAlmostEquals(g, 0, 1e-5);
});

Deno.test("centroidWeights() vanish as K / ridge when the ridge grows, and the loss with them", async () => {
  const prior = points(7, 3);
  const kernel = rbf({ sigma: 1 });
  const ridge = 1e6;
  const expected = (await kernel(prior, prior).data()).map((k) => k / ridge);
  const weights = centroidWeights(prior, { kernel, ridge });
  assertClose(await weights.data(), expected, { rtol: 2e-5 });
  const z = normal([7, 2, 4], { key: key(1) });
  assertAlmostEquals(await decoupledUniformity(z, { weights }).item(), 0, 1e-9);
});

Deno.test("centroidWeights() with ridge 0 takes 1 / sqrt(n)", async () => {
  const prior = points(9, 3);
  const kernel = cosine();
  const [zero, third] = [0, 1 / 3].map((ridge) => centroidWeights(prior, { kernel, ridge }));
  assertEquals(await zero!.data(), await third!.data());
});

Deno.test("centroidWeights() sends no gradient to the prior and frees what it made", () => {
  const prior = requireGrad(points(32, 7));
  const { live } = device.memory;
  const weights = centroidWeights(prior, { kernel: rbf({ sigma: 1 }) });
  assertEquals(weights.link, null);
  assertEquals(device.memory.live - live, weights.bytes);
});

Deno.test("centroidWeights() are NaN when the prior is", async () => {
  const weights = await centroidWeights(tensor([[NaN], [1]]), { kernel: rbf({ sigma: 1 }) }).data();
  assert(weights.every(Number.isNaN));
});

Deno.test("centroidWeights() creates no buffer, pipeline or bind group from the second call on", async () => {
  await using device = await Device.open(); // its own: what other tests left may be freed at any time
  using _ = scope();
  const prior = points(33, 20);
  const kernel = rbf({ sigma: 2 });
  for (let i = 0; i < 2; i++) centroidWeights(prior, { kernel }).dispose();
  await device.done();
  const { buffers, pipelines, bindGroups } = device.counters;
  for (let i = 0; i < 3; i++) centroidWeights(prior, { kernel }).dispose();
  await device.done();
  const after = device.counters;
  assertEquals([after.buffers, after.pipelines, after.bindGroups], [buffers, pipelines, bindGroups]);
});

Deno.test("centroidWeights() throws when the ridge is negative or not finite", () => {
  for (const ridge of [-0.01, NaN, Infinity]) {
    assertThrows(
      () => centroidWeights(points(3, 2), { kernel: cosine(), ridge }),
      RangeError,
      `Cannot compute centroidWeights() as ridge (0 means 1/sqrt(n)) must be >= 0 and finite: current value is ${ridge}`,
    );
  }
});

Deno.test("centroidWeights() throws when the kernel does not make a square matrix", () => {
  assertThrows(
    () => centroidWeights(points(3, 2), { kernel: () => full([3, 2], 1) }),
    TypeError,
    "Cannot compute centroidWeights() as the kernel must make an f32 [n, n]: got f32 [3,2]",
  );
});

Deno.test("retainedVariance() throws when the shapes do not fit", () => {
  assertThrows(
    () => retainedVariance(ones([1, 1])),
    TypeError,
    "Cannot compute retainedVariance() as weights must be f32 [n, n] with n >= 2: got weights f32 [1,1]",
  );
  assertThrows(
    () => retainedVariance(ones([3, 3]), { centroids: ones([2, 4]) }),
    TypeError,
    "Cannot compute retainedVariance() as centroids must be f32 [3, d]: got centroids f32 [2,4] and weights [3,3]",
  );
});

Deno.test("centroidWeights() of alike rows are 1 / (n + ridge) or NaN, whatever the ridge", async () => {
  const n = 64;
  for (const ridge of [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8]) {
    const weights = await centroidWeights(ones([n, 3]), { kernel: rbf({ sigma: 1 }), ridge }).data();
    if (weights.every(Number.isNaN)) assert(ridge < 2e-7 * n, `NaN with ridge ${ridge}`);
    else assertClose(weights, new Float64Array(n * n).fill(1 / (n + ridge)), { rtol: ridge < 1e-6 * n ? 1e-2 : 1e-6 });
  }
});
