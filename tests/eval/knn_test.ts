import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { knn } from "../../src/eval/mod.ts";

await Device.open();

/** Points around `classes` directions. */
function clusters(n: number, classes: number, seed: number): { data: Float32Array<ArrayBuffer>; labels: Int32Array } {
  const noise = uniformNumbers(n * 8, key(seed));
  const labels = Int32Array.from({ length: n }, (_, i) => i % classes);
  const data = Float32Array.from(noise, (v, i) => 2 * (v - 0.5) + Number(i % 8 === labels[Math.floor(i / 8)]!));
  return { data, labels };
}

function unit(data: Float32Array, i: number): number[] {
  const row = [...data.subarray(8 * i, 8 * i + 8)];
  const norm = Math.hypot(...row);
  return row.map((v) => v / norm);
}

Deno.test("knn() agrees with a plain loop", async () => {
  const [train, test] = [clusters(70, 5, 1), clusters(300, 5, 2)];
  let [top1, top5] = [0, 0];
  for (let i = 0; i < 300; i++) {
    const query = unit(test.data, i);
    const all = Array.from({ length: 70 }, (_, j) => ({
      score: unit(train.data, j).reduce((sum, v, d) => sum + v * query[d]!, 0),
      label: train.labels[j]!,
    })).sort((a, b) => b.score - a.score).slice(0, 6);
    const votes = [0, 0, 0, 0, 0];
    for (const { score, label } of all) votes[label]! += Math.exp(score / 0.5);
    const label = test.labels[i]!;
    top1 += Number(votes.every((v, c) => c === label || v < votes[label]!));
    top5 += Number(votes[label]! > 0);
  }
  const scores = await knn(
    { features: { data: train.data, dim: 8 }, labels: train.labels },
    { features: { data: test.data, dim: 8 }, labels: test.labels },
    { classes: 5, k: 6, temperature: 0.5 },
  );
  assertEquals([scores.top1, scores.top5, scores.queries], [top1 / 300, top5 / 300, 300]);
  assertEquals(scores.top1 < 1 && scores.top1 > 0.5, true);
});

Deno.test("knn() leaves a sample out of its own neighbours when asked to", async () => {
  const features = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1), dim: 2 };
  const all = { features, labels: Int32Array.of(0, 1, 1) };
  assertEquals((await knn(all, all, { classes: 2, k: 1 })).top1, 1);
  assertEquals((await knn(all, all, { classes: 2, k: 1, leaveOneOut: true })).top1, 1 / 3);
});

Deno.test("knn() gives the mean AUC where several labels hold, leaving unknown ones out", async () => {
  const gallery = {
    features: { data: Float32Array.of(1, 0, 0, 1), dim: 2 },
    labels: Float32Array.of(1, 0, 0, NaN),
  };
  const queries = {
    features: { data: Float32Array.of(1, 0.1, 1, 0.2, 0.1, 1, 0.2, 1), dim: 2 },
    labels: Float32Array.of(1, 0, 0, 0, 0, 0, 1, 0),
  };
  const scores = await knn(gallery, queries, { classes: 2, k: 2, temperature: 1 });
  // Votes of class 0 fall in the order of queries 0, 1, 3, 2; 0 and 3 are positive: three of four pairs are in order.
  assertAlmostEquals(scores.mean_auroc, 0.75, 1e-12);
  assertEquals([scores.top1, scores.top5], [NaN, NaN]);
});

Deno.test("knn() says what does not fit", async () => {
  const two = { features: { data: Float32Array.of(1, 0), dim: 2 }, labels: Int32Array.of(0) };
  const one = { features: { data: Float32Array.of(1), dim: 1 }, labels: Int32Array.of(0) };
  const many = { ...two, labels: Float32Array.of(1) };
  await assertRejects(
    () => knn(two, one, { classes: 1 }),
    TypeError,
    "Cannot run knn() as the widths must agree: got 2 and 1",
  );
  await assertRejects(() => knn(two, many, { classes: 1 }), TypeError, "the same kind of labels");
  await assertRejects(() => knn(two, two, { classes: 1, k: 0 }), RangeError, "k must be an integer >= 1: got 0");
  await assertRejects(
    () => knn(two, two, { classes: 1, leaveOneOut: true }),
    RangeError,
    "k must be an integer >= 1: got 0",
  );
  await assertRejects(
    () => knn(two, two, { classes: 1, leave_one_out: true } as never),
    TypeError,
    "Cannot run knn() as its options are classes, k, temperature, leaveOneOut and device: got leave_one_out",
  );
  const pair = { features: { data: Float32Array.of(1, 0, 0, 1), dim: 2 }, labels: Int32Array.of(0, 0) };
  await assertRejects(
    () => knn(pair, two, { classes: 1, leaveOneOut: true }),
    RangeError,
    "Cannot run knn() as leaveOneOut takes the gallery for the queries: got 2 samples and 1 queries",
  );
  for (const dim of [0, 3]) {
    const torn = { ...two, features: { ...two.features, dim } };
    const message = `features must be [n, ${dim}], dim >= 1: got 2 values`;
    await assertRejects(() => knn(torn, torn, { classes: 1 }), TypeError, message);
  }
  await assertRejects(
    () => knn(two, two, { classes: 1, temperature: 0 }),
    RangeError,
    "temperature must be > 0: got 0",
  );
});
