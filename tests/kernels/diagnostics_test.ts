import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { checkPrior, cosine, describeKernel, linearKernel, medianSigma, rbf } from "../../src/kernels/mod.ts";
import { eye, full, ones, tensor, zeros } from "../../src/tensor/mod.ts";
import { distances, matrix, points, read } from "../ops/shared/_arrays.ts";

await Device.open();

/** Rows of 7 groups of one-hot attributes, as UT-Zappos has them. */
function oneHotGroups(n: number) {
  const hot = matrix(n, 7, (i, g) => (i * 2654435761 * (g + 1) >>> 7) % 18);
  const values = matrix(n, 126, (i, f) => hot.values[i * 7 + Math.floor(f / 18)] === f % 18 ? 1 : 0);
  return tensor(Float32Array.from(values.values), { shape: [n, 126] });
}

Deno.test("medianSigma() is the median distance of the pairs that differ", async () => {
  const x = points(31, 4);
  const host = await read(x);
  const all = [...distances(host, host).values].filter((_, k) => k % 31 > Math.floor(k / 31)).sort((a, b) => a - b);
  assertAlmostEquals(await medianSigma(x), Math.sqrt(all[Math.floor(all.length / 2)]!), 1e-5);
  assertEquals(await medianSigma(tensor([2, 2, 2, 2, 5])), 3);
});

Deno.test("medianSigma() looks at evenly spaced rows of a long prior", async () => {
  const x = tensor(Float32Array.from({ length: 100 }, (_, i) => i % 10 === 0 ? i : 1e6 + i * i));
  assertEquals(await medianSigma(x, { maxRows: 10 }), 30); // of 0, 10 … 90
});

Deno.test("medianSigma() throws when the prior is not [n, d], holds NaN, or all rows are alike", async () => {
  await assertRejects(
    () => medianSigma(ones([2, 3, 4])),
    TypeError,
    "Cannot compute medianSigma() as prior must be f32 [n, d] or [n]: got prior f32 [2,3,4]",
  );
  await assertRejects(() => medianSigma(tensor([[1], [NaN]])), RangeError, "row 1");
  await assertRejects(
    () => medianSigma(ones([5, 2])),
    RangeError,
    "Cannot compute medianSigma() as at least two rows of the prior must differ: got prior [5,2]",
  );
  await assertRejects(() => medianSigma(zeros([0, 2])), RangeError, "rows of the prior must differ: got prior [0,2]");
  await assertRejects(
    () => medianSigma(ones([5, 2]), { maxRows: 1 }),
    RangeError,
    "Cannot compute medianSigma() as maxRows must be an integer >= 2: got 1",
  );
});

Deno.test("checkPrior() names the rows that are not finite", () => {
  checkPrior([1, 2, 3, 4, 5, 6], [3, 2]);
  checkPrior([], [0, 2]);
  assertThrows(
    () => checkPrior([1, 2, NaN, NaN, 5, Infinity], [3, 2]),
    RangeError,
    "Cannot use a prior [3,2] as every element must be finite: 2 of 3 rows are not, rows 1, 2",
  );
  assertThrows(
    () => checkPrior(new Float32Array(20).fill(NaN), [10, 2]),
    RangeError,
    "10 of 10 rows are not, rows 0, 1, 2, 3, 4, 5, 6, 7, …",
  );
  assertThrows(
    () => checkPrior([1, 2, 3], [2, 2]),
    TypeError,
    "Cannot use a prior [2,2] as it has 4 elements: got 3",
  );
});

Deno.test("describeKernel() finds sigma 100 on one-hot attributes constant and suggests one that is not", async () => {
  const prior = oneHotGroups(64);
  const wide = await describeKernel(prior, { kernel: rbf({ sigma: 100 }) });
  assertEquals(wide.verdict, "constant");
  assert(wide.similarity.min > 0.999 && wide.retainedVariance < 0.02);
  assertAlmostEquals(wide.effectiveRank, 1, 0.01);
  assertMatch(
    wide.advice!,
    /^The kernel is nearly constant \(similarities from 0\.999\d* to .*rbf\(\{ sigma: 3\.\d+ \}\)$/,
  );
  const sigma = Number(wide.advice!.match(/sigma: ([\d.]+)/)![1]);
  const fair = await describeKernel(prior, { kernel: rbf({ sigma }) });
  assertEquals([fair.verdict, fair.advice], ["graded", null]);
  assert(fair.retainedVariance > 0.5);
});

Deno.test("describeKernel() finds a sigma far below the distances the identity", async () => {
  const told = await describeKernel(oneHotGroups(32), { kernel: rbf({ sigma: 0.1 }) });
  assertEquals(told.verdict, "identity");
  assertEquals(told.mixing, 0);
  assertAlmostEquals(told.effectiveRank, 32, 1e-4);
  assertAlmostEquals(told.retainedVariance, 1 / 1.01 ** 2, 1e-4);
  assertMatch(told.advice!, /nearly the identity .* sigma: /);
});

Deno.test("describeKernel() counts the similarities of the pairs", async () => {
  const prior = tensor([[1, 0], [3, 0], [0, 2], [1, 1]]); // cosines 1, 0, √½, 0, √½, √½
  for (const bins of [0, NaN, 1.5, -1]) {
    await assertRejects(
      () => describeKernel(prior, { kernel: cosine(), bins }),
      RangeError,
      `Cannot describe a kernel as bins must be an integer >= 1: got ${bins}`,
    );
  }
  const told = await describeKernel(prior, { kernel: cosine(), bins: 4 });
  assertEquals(told.histogram, [2, 0, 3, 1]);
  assertAlmostEquals(told.similarity.mean, (1 + 3 * Math.SQRT1_2) / 6, 1e-6);
  const scaled = await describeKernel(prior, { kernel: linearKernel(), bins: 4 });
  assertAlmostEquals(scaled.similarity.max, 1, 1e-6);
});

Deno.test("describeKernel() advises without a sigma when it cannot know one", async () => {
  const told = await describeKernel(full([4, 2], 3), { kernel: rbf({ sigma: 1 }) });
  assertEquals(told.verdict, "constant");
  assertMatch(told.advice!, /learns nothing$/);
});

Deno.test("describeKernel() leaves a Gram matrix that the kernel keeps", async () => {
  const gram = eye(3);
  await describeKernel(null, { kernel: () => gram });
  assertEquals(gram.disposed, false);
});

Deno.test("describeKernel() throws when the weights are not finite, or there is one sample", async () => {
  await assertRejects(
    () => describeKernel(tensor([[NaN], [1]]), { kernel: cosine() }),
    RangeError,
    "Cannot describe a kernel as its weights are not finite: the prior holds a NaN, or the ridge is too small",
  );
  await assertRejects(
    () => describeKernel(tensor([[1]]), { kernel: cosine() }),
    RangeError,
    "Cannot describe a kernel as there must be at least 2 samples: got 1",
  );
});
