// What compares, sorts or chooses is given no NaN: each public function of evaluation refuses it, or says what it makes of it.
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../../mod.ts";
import {
  accuracy,
  alignment,
  balancedAccuracy,
  bootstrapAuc,
  centredUnit,
  confusionMatrix,
  effectiveRank,
  knn,
  labelChance,
  labelledShare,
  labelRate,
  linearScores,
  logisticRegression,
  matchRate,
  meanInterval,
  meanOf,
  nearest,
  perClassAccuracy,
  predictedClasses,
  principalComponents,
  rocAuc,
  rocCurve,
  searchLinear,
  softmaxSgd,
  stratifiedKFold,
  topKAccuracy,
  umap,
  uniformity,
} from "../../src/eval/mod.ts";

await Device.open();

/** Four rows of two features, the third with something that is none. */
function features(wrong: number): { data: Float32Array<ArrayBuffer>; dim: number } {
  return { data: Float32Array.of(1, 2, 3, 1, -1, wrong, 0, 2), dim: 2 };
}
const good = features(5);
const labels = Int32Array.of(0, 1, 0, 1);

for (const wrong of [NaN, Infinity, -Infinity]) {
  Deno.test(`The evaluation of features refuses ${wrong}, and names its row`, async () => {
    const bad = features(wrong);
    const message = `every feature must be finite: got ${wrong} in row 2`;
    const [known, unknown] = [good, bad].map((each) => ({ features: each, labels }));
    await assertRejects(() => knn(known!, unknown!, { classes: 2 }), RangeError, `Cannot run knn() as ${message}`);
    await assertRejects(() => knn(unknown!, known!, { classes: 2 }), RangeError, message);
    const several = { features: bad, labels: Float32Array.of(0, 1, NaN, 1) };
    await assertRejects(() => knn(several, several, { classes: 1 }), RangeError, message);
    assertThrows(() => nearest(bad, good, { k: 1 }), RangeError, message);
    assertThrows(() => nearest(good, bad, { k: 1 }), RangeError, message);
    assertThrows(() => centredUnit(bad), RangeError, "is not finite");
    assertThrows(() => alignment(good, bad), RangeError, message);
    assertThrows(() => uniformity(bad), RangeError, message);
    assertThrows(() => effectiveRank(bad), RangeError, message);
    await assertRejects(() => umap(bad), RangeError, `Cannot run umap() as ${message}`);
    await assertRejects(() => principalComponents(bad, { count: 1 }), RangeError, message);
    await assertRejects(() => logisticRegression(bad, labels, [{ C: 1 }], { classes: 2 }), RangeError, message);
    await assertRejects(() => searchLinear(bad, labels, { classes: 2, splits: 2 }), RangeError, message);
    await assertRejects(
      () => softmaxSgd(bad, labels, [{ weightDecay: 0 }], { classes: 2, epochs: 1 }),
      RangeError,
      message,
    );
  });
}

Deno.test("What scores and predictions say of classes refuses NaN", () => {
  const scores = [0.5, 0.1, NaN, 0.2, 0.3, 0.7, 0.1, 0.9];
  assertThrows(
    () => predictedClasses(scores, 2),
    RangeError,
    "Cannot compute predictedClasses() as every score must be a number: got NaN in row 1",
  );
  assertThrows(() => predictedClasses([0.2, NaN], 2), RangeError, "got NaN in row 0");
  for (const blank of [undefined, null, "0.5"] as unknown[] as number[]) { // of untyped code
    assertThrows(() => predictedClasses([0.2, blank], 2), RangeError, `got ${blank} in row 0`);
    assertThrows(() => topKAccuracy([0], [1, blank], { k: 1, classes: 2 }), RangeError, `got ${blank} in row 0`);
    assertThrows(() => rocAuc([0, 1], [0, blank]), RangeError, `every score must be a number: got ${blank} at 1`);
  }
  assertEquals(predictedClasses([-Infinity, 1, 2, Infinity, 3, 3], 2), Int32Array.of(1, 1, 0));
  assertThrows(() => topKAccuracy(labels, scores, { k: 1, classes: 2 }), RangeError, "got NaN in row 1");
  for (const measure of [accuracy, (a: number[], b: number[]) => confusionMatrix(a, b, 2)]) {
    assertThrows(() => measure([0, 1], [0, NaN]), RangeError, "got NaN at 1");
    assertThrows(() => measure([NaN, 1], [0, 1]), RangeError, "got NaN at 0");
  }
  assertThrows(() => balancedAccuracy([0, 1], [0, NaN], 2), RangeError, "got NaN at 1");
  for (const area of [rocAuc, rocCurve, bootstrapAuc]) {
    assertThrows(() => area([0, 1, 1], [0.1, NaN, 0.3]), RangeError, "every score must be a number: got NaN at 1");
    assertThrows(
      () => area([0, 1, NaN], [0.1, 0.2, 0.3]),
      RangeError,
      "each sample must be positive (1 or true) or not",
    );
    assertThrows(() => area([0, 1, 2], [0.1, 0.2, 0.3]), RangeError, "got 2 at 2");
  }
  assertThrows(() => bootstrapAuc([0, 1], [0, 1], { level: NaN }), RangeError, "level in (0, 1): got 1000 and NaN");
  assertThrows(() => bootstrapAuc([0, 1], [0, 1], { samples: 0 }), RangeError, "got 0 and 0.95");
  assertThrows(() => stratifiedKFold([0, NaN, 1, 0], 2), RangeError, "every label must be an integer: got NaN at 1");
  assertThrows(() => labelledShare([0, 1, NaN], 0.5), RangeError, "every label must be an integer: got NaN at 2");
});

Deno.test("knn() refuses labels that are none, and no samples", async () => {
  const set = (labels: Int32Array | Float32Array, from = good) => ({ features: from, labels });
  const run = (a: ReturnType<typeof set>, b = a) => knn(a, b, { classes: 2 });
  await assertRejects(
    () => run(set(Int32Array.of(0, 1, 2, 0))),
    RangeError,
    "a label must be in [0, 2): got 2 in row 2",
  );
  await assertRejects(() => run(set(Int32Array.of(0, 1))), TypeError, "labels must be [4]: got 2 of them");
  await assertRejects(() => run(set(new Float32Array(4))), TypeError, "labels must be [4, 2]: got 4 of them");
  for (const wrong of [-1, 0.5, 2, Infinity]) { // -1: uncertain, as CheXpert has it
    const several = set(Float32Array.of(0, 1, NaN, 1, 0, wrong, 1, 1));
    await assertRejects(() => run(several), RangeError, `a label must be 0, 1 or NaN: got ${wrong} in row 2`);
  }
  const none = set(new Int32Array(), { data: new Float32Array(), dim: 2 });
  await assertRejects(() => run(set(labels), none), RangeError, "there must be samples: got none");
});

Deno.test("knn() counts right at any temperature", async () => {
  const gallery = {
    features: { data: Float32Array.of(1, 0, 1, 0.1, -1, 0, -1, 0.1), dim: 2 },
    labels: Int32Array.of(0, 0, 1, 1),
  };
  const queries = { features: { data: Float32Array.of(1, 0.05, -1, 0.05), dim: 2 }, labels: Int32Array.of(0, 1) };
  for (const temperature of [1e-6, 1e-3, 0.07, 1e3]) {
    assertEquals((await knn(gallery, queries, { classes: 2, k: 4, temperature })).top1, 1, `${temperature}`);
  }
});

Deno.test("A number of classes that is none is refused, where knn() said 100 % of NaN", async () => {
  const known = { features: good, labels };
  for (const classes of [NaN, 0, 1.5, undefined as never]) {
    const message = `classes must be an integer >= 1: got ${classes}`;
    await assertRejects(() => knn(known, known, { classes }), RangeError, `Cannot run knn() as ${message}`);
    assertThrows(
      () => predictedClasses([1, 2], classes),
      RangeError,
      `Cannot compute predictedClasses() as ${message}`,
    );
  }
  assertThrows(
    () => predictedClasses([1, 2, 3], 2),
    TypeError,
    "Cannot compute predictedClasses() as scores must be [n, 2]: got 3 values",
  );
});

Deno.test("Features of any size that f32 holds give the same directions", async () => {
  const values = [1, 0.1, 0.1, 1, 1, 0.2, 0.2, 1];
  const sized = (scale: number) => ({ data: Float32Array.from(values, (v) => v * scale), dim: 2 });
  const [near] = (await principalComponents(sized(1))).explained;
  for (const scale of [1e-30, 1e20, 3e38]) {
    const each = sized(scale);
    assertEquals((await knn({ features: each, labels }, { features: each, labels }, { classes: 2, k: 1 })).top1, 1);
    assertAlmostEquals(uniformity(each), uniformity(sized(1)), 1e-6);
    assertAlmostEquals((await principalComponents(each)).explained[0]!, near!, 1e-5);
  }
});

Deno.test("Numbers that say how to evaluate are refused where they say nothing", async () => {
  const neighbours = { rows: Uint32Array.of(1, 0), k: 1 };
  const refuses = (run: () => unknown, message: string) => assertThrows(run, RangeError, message);
  for (const top of [NaN, 0, 0.5, 2]) refuses(() => matchRate(neighbours, top), `in [1, 1]: got ${top}`);
  refuses(() => labelRate(neighbours, [0, NaN], [0, 1]), "labelRate() as every label must be a number: got NaN at 1");
  refuses(() => labelChance([0, 1], [NaN]), "labelChance() as every label must be a number: got NaN at 0");
  for (const count of [NaN, -1, 0.5]) refuses(() => perClassAccuracy([1, count, 0, 1]), `integer >= 0: got ${count}`);
  for (const t of [NaN, 0, -1, Infinity]) {
    refuses(() => uniformity(good, t), `Cannot compute uniformity() as t must be > 0 and finite: got ${t}`);
    refuses(() => alignment(good, good, t), `Cannot compute alignment() as alpha must be > 0 and finite: got ${t}`);
  }
  refuses(() => confusionMatrix([0], [0], 0.5), "classes must be an integer >= 1: got 0.5");
  for (const classes of [2 ** 40, Infinity]) {
    refuses(() => confusionMatrix([0], [0], classes), `classes must be an integer <= 1048576: got ${classes}`);
  }
  const groups = [0, NaN];
  refuses(
    () => meanInterval([[1, 2]], { groups }),
    "meanInterval() as every group must be a number: got NaN at query 1",
  );
  for (const epochs of [1.5, Infinity]) {
    await assertRejects(
      () => softmaxSgd(good, labels, [{ weightDecay: 0 }], { classes: 2, epochs }),
      RangeError,
      `Cannot compute softmaxSgd() as epochs must be an integer >= 1: got ${epochs}`,
    );
  }
  refuses(() => bootstrapAuc([0, 1], [0, 1], { samples: 3e38 }), "an integer in [1, 10000000] and level");
  await assertRejects(
    () => softmaxSgd(good, labels, [{ weightDecay: 0 }], { classes: 2, momentum: NaN }),
    RangeError,
    "Cannot compute softmaxSgd() as momentum must be in [0, 1): got NaN",
  );
});

Deno.test("Features that are no rows are refused, where centredUnit() never returned", async () => {
  const refuses = (run: () => unknown, task: string, message: string) =>
    assertThrows(run, TypeError, `Cannot ${task} as features must be ${message}`);
  const classifier = { weight: new Float64Array(4), bias: new Float64Array(2), dim: 2, classes: 2 };
  const odd = { data: Float32Array.of(1, 2, 3), dim: 2 };
  refuses(() => linearScores(classifier, odd), "classify", "[n, 2], dim >= 1: got 3 values");
  for (
    const [bad, shown] of [[odd, 2], [{ ...odd, dim: 0 }, 0], [{ ...odd, dim: 1.5 }, 1.5], [
      { ...odd, dim: NaN },
      NaN,
    ]] as const
  ) {
    const message = `[n, ${shown}], dim >= 1: got 3 values`;
    refuses(() => centredUnit(bad), "compare features", message);
    refuses(() => meanOf(bad), "compute the mean", message);
    refuses(() => nearest(bad, bad, { k: 1 }), "find neighbours", message);
    if (shown > 0) refuses(() => alignment(bad, bad), "compute alignment()", message);
    refuses(() => uniformity(bad), "compute uniformity()", message);
    refuses(() => effectiveRank(bad), "compute effectiveRank()", message);
  }
  assertThrows(
    () => linearScores({ ...classifier, weight: new Float64Array(2) }, good),
    TypeError,
    "Cannot classify as the weight must be [2, 2] and the bias [2]: got 2 and 2 values",
  );
  const none = { data: new Float32Array(), dim: 2 };
  assertThrows(() => alignment(none, none), RangeError, "Cannot compute alignment() as there must be rows: got none");
  assertThrows(
    () => labelRate({ rows: Uint32Array.of(5), k: 1 }, [0], [0]),
    TypeError,
    "got 1 for 1 queries and 1 for rows to 5",
  );
  assertThrows(
    () => labelChance([], [1]),
    RangeError,
    "Cannot compute labelChance() as there must be labels: got none",
  );
  assertThrows(() => matchRate({ rows: new Uint32Array(), k: 1 }, 1), RangeError, "there must be queries: got none");
  await assertRejects(
    () => principalComponents(good, { count: 0 }),
    RangeError,
    "count must be an integer >= 1: got 0",
  );
  await assertRejects(() => umap(good, { neighbours: NaN }), RangeError, "neighbours must be an integer >= 1: got NaN");
  await assertRejects(
    () => umap(good, { minDist: 2 }),
    RangeError,
    "Cannot run umap() as minDist must be in [0, 1]: got 2",
  );
});

Deno.test("umap() wants three rows", async () => {
  for (const rows of [0, 1, 2]) {
    await assertRejects(
      () => umap({ data: new Float32Array(2 * rows).fill(1), dim: 2 }),
      RangeError,
      `Cannot run umap() as there must be at least 3 rows: got ${rows}`,
    );
  }
});
