import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  accuracy,
  balancedAccuracy,
  confusionMatrix,
  perClassAccuracy,
  predictedClasses,
  topKAccuracy,
} from "../../src/eval/metrics.ts";
import { labelledShare, stratifiedKFold } from "../../src/eval/folds.ts";
import { bootstrapAuc, bootstrapMeanAuc, rocAuc, rocCurve } from "../../src/eval/roc.ts";
import { floatsOf, readFixture, readFixtureJson } from "../fixtures/read.ts";

interface Golden {
  readonly classification: readonly {
    readonly name: string;
    readonly classes: number;
    readonly accuracy: number;
    readonly balancedAccuracy: number;
    readonly topK: Readonly<Record<string, number>>;
    readonly rocAuc: readonly (number | null)[];
  }[];
  readonly rocAuc: readonly { readonly name: string; readonly rocAuc: number }[];
  readonly stratifiedKFold: readonly { readonly name: string; readonly splits: number }[];
}

const golden = readFixtureJson<Golden>("metrics");
const arrays = readFixture("metrics");
const TINY = 1e-14;

for (const expected of golden.classification) {
  const { name, classes } = expected;
  const labels = floatsOf(arrays, `${name}.labels`);
  const scores = floatsOf(arrays, `${name}.scores`);

  Deno.test(`accuracy(), balancedAccuracy() and confusionMatrix() agree with scikit-learn: ${name}`, () => {
    const predicted = predictedClasses(scores, classes);
    assertEquals(Array.from(predicted), Array.from(floatsOf(arrays, `${name}.predicted`)));
    assertEquals(accuracy(labels, predicted), expected.accuracy);
    assertAlmostEquals(balancedAccuracy(labels, predicted, classes), expected.balancedAccuracy, TINY);
    assertEquals(
      Array.from(confusionMatrix(labels, predicted, classes)),
      Array.from(floatsOf(arrays, `${name}.confusion`)),
    );
  });

  Deno.test(`topKAccuracy() and rocAuc() agree with scikit-learn: ${name}`, () => {
    for (const [k, value] of Object.entries(expected.topK)) {
      assertAlmostEquals(topKAccuracy(labels, scores, { k: Number(k), classes }), value, TINY, `top ${k}`);
    }
    expected.rocAuc.forEach((value, c) => {
      if (value === null) return;
      const own = scores.filter((_, i) => i % classes === c);
      assertAlmostEquals(rocAuc(Array.from(labels, (label) => label === c), own), value, TINY, `class ${c}`);
    });
  });
}

for (const { name, rocAuc: expected } of golden.rocAuc) {
  Deno.test(`rocAuc() agrees with scikit-learn: ${name}`, () => {
    const labels = floatsOf(arrays, `rocAuc/${name}.labels`);
    const scores = floatsOf(arrays, `rocAuc/${name}.scores`);
    assertAlmostEquals(rocAuc(labels, scores), expected, TINY);
    const curve = rocCurve(labels, scores);
    let area = 0;
    for (let i = 1; i < curve.length; i++) {
      const [a, b] = [curve[i - 1]!, curve[i]!];
      area += (b.falsePositives - a.falsePositives) * (a.truePositives + b.truePositives) / 2;
    }
    assertAlmostEquals(area, expected, TINY, "the area under rocCurve()");
    const { auc, low, high } = bootstrapAuc(labels, scores, { samples: 200 });
    assert(low <= auc && auc <= high, `${low} ${auc} ${high}`);
  });
}

Deno.test("bootstrapMeanAuc() is bootstrapAuc() for one class, and narrower for classes that err apart", () => {
  const positive = Array.from({ length: 60 }, (_, i) => i % 3 === 0);
  const scores = Float64Array.from({ length: 60 }, (_, i) => (i * 37 % 60) / 60 + Number(positive[i]) / 4);
  const { low, high } = bootstrapAuc(positive, scores);
  assertEquals(bootstrapMeanAuc([{ positive, scores }]), { low, high });
  const other = { positive: positive.map((_, i) => i % 3 === 1), scores: scores.map((_, i) => (i * 17 % 60) / 60) };
  const mean = bootstrapMeanAuc([{ positive, scores }, other]);
  assert(mean.high - mean.low < high - low, `${mean.low} to ${mean.high}, ${low} to ${high}`);
  assertThrows(
    () => bootstrapMeanAuc([{ positive: [true], scores: [1] }]),
    RangeError,
    "Cannot compute bootstrapMeanAuc() as there must be positives and negatives: got 1 of 1 positive",
  );
});

for (const { name, splits } of golden.stratifiedKFold) {
  Deno.test(`stratifiedKFold() deals as scikit-learn's StratifiedKFold: ${name}`, () => {
    const labels = floatsOf(arrays, `folds/${name}.labels`);
    assertEquals(Array.from(stratifiedKFold(labels, splits)), Array.from(floatsOf(arrays, `folds/${name}.fold`)));
  });
}

Deno.test("topKAccuracy() takes the class with the larger number first on ties, as scikit-learn", () => {
  const scores = [0.5, 0.5, 0.2]; // top_k_accuracy_score([0], [[.5, .5, .2]], k=1, labels=[0, 1, 2]) is 0
  assertEquals(topKAccuracy([0], scores, { k: 1, classes: 3 }), 0);
  assertEquals(topKAccuracy([1], scores, { k: 1, classes: 3 }), 1);
  assertEquals(topKAccuracy([2], scores, { k: 5, classes: 3 }), 1, "two classes have no top 5");
});

Deno.test("bootstrapAuc() narrows with the square root of the samples and repeats with its seed", () => {
  const make = (n: number) => {
    const positive = Array.from({ length: n }, (_, i) => i % 2);
    const scores = positive.map((each, i) => each * 0.4 + ((i * 7919) % 1000) / 1000);
    return bootstrapAuc(positive, scores, { samples: 300, seed: 4 });
  };
  const [few, many] = [make(50), make(800)];
  const ratio = (few.high - few.low) / (many.high - many.low);
  assert(ratio > 2.5 && ratio < 6, `4 expected, ${ratio}`);
  assertEquals(make(50), few);
});

Deno.test("labelledShare() keeps the classes' shares, and one sample of a rare class", () => {
  const labels = Int32Array.from({ length: 1001 }, (_, i) => i === 500 ? 2 : i % 4 === 0 ? 1 : 0);
  const rows = labelledShare(labels, 0.1);
  const counts = [0, 1, 2].map((label) => Array.from(rows).filter((row) => labels[row] === label).length);
  assertEquals(counts, [75, 25, 1]);
  assertEquals(labelledShare(labels, 0.1), rows);
  assertEquals(labelledShare(labels, 1).length, 1001);
  assertThrows(() => labelledShare(labels, 0), RangeError, "Cannot pick labels as the share must be in (0, 1]: got 0");
});

Deno.test("metrics say what is wrong with their input", () => {
  const one = { k: 1, classes: 2 };
  const cases: [() => unknown, new () => Error, string][] = [
    [() => accuracy([], []), RangeError, "Cannot compute accuracy() as there must be at least one sample: got 0"],
    [
      () => accuracy([0], []),
      TypeError,
      "Cannot compute accuracy() as there must be a prediction for each label: got labels [1] and predicted [0]",
    ],
    [
      () => confusionMatrix([0, 2], [0, 1], 2),
      RangeError,
      "Cannot compute confusionMatrix() as every label must be an integer in [0, 2): got 2 at 1",
    ],
    [() => confusionMatrix([0], [-1], 2), RangeError, "in [0, 2): got -1 at 0"],
    [() => balancedAccuracy([NaN], [0], 2), RangeError, "in [0, 2): got NaN at 0"],
    [
      () => topKAccuracy([0], [1, 2, 3], one),
      TypeError,
      "Cannot compute topKAccuracy() as scores must be [1, 2]: got 3 values",
    ],
    [
      () => perClassAccuracy([1, 2, 3]),
      TypeError,
      "Cannot compute perClassAccuracy() as counts must be [classes, classes]: got 3 values",
    ],
    [() => topKAccuracy([0], [1, NaN], one), RangeError, "every score must be a number: got NaN in row 0"],
    [() => topKAccuracy([0], [1, 2], { ...one, k: 0 }), RangeError, "k must be an integer >= 1: got 0"],
    [
      () => rocAuc([1, 1], [0, 1]),
      RangeError,
      "Cannot compute rocAuc() as there must be positives and negatives: got 2 of 2 positive",
    ],
    [() => rocAuc([1, 0], [0, NaN]), RangeError, "every score must be a number: got NaN at 1"],
    [() => rocAuc([1], []), TypeError, "there must be a score for each sample: got positive [1] and scores [0]"],
    [() => stratifiedKFold([0, 1], 1), RangeError, "splits must be an integer >= 2: got 1"],
    [() => stratifiedKFold([3, 3, 3], 3), RangeError, "there must be at least two classes: got 1 in 3 labels"],
    [
      () => stratifiedKFold([0, 1, 0, 1], 3),
      RangeError,
      "as a class must have at least as many samples as there are folds: got 3 folds and at most 2 samples of a class",
    ],
  ];
  for (const [run, kind, message] of cases) assertThrows(run, kind, message);
  assertEquals(perClassAccuracy([0, 0, 1, 1]), [NaN, 0.5]);
});

Deno.test("stratifiedKFold() takes any number of classes", () => {
  const labels = Array.from({ length: 300_000 }, (_, i) => i % 150_000);
  assertEquals(stratifiedKFold(labels, 2).length, labels.length);
});
