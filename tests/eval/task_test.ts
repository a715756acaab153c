import { assert, assertEquals, assertThrows } from "@std/assert";
import { makeTask, scoreTask } from "../../src/eval/mod.ts";
import type { ImageDataset, Labels } from "../../src/data/mod.ts";

function setOf(labels: Labels, split: string, classes = ["cat", "dog", "owl"]) {
  const length = labels === null ? 2 : labels instanceof Int32Array ? labels.length : labels.length / classes.length;
  const dataset: ImageDataset = {
    ...{ name: "pets", split, length, classes, labels, resolution: 1, notes: [] },
    mean: [0, 0, 0],
    std: [1, 1, 1],
    pixels: { data: new Uint8Array(3 * length), height: 1, width: 1 },
  };
  const rows = Int32Array.from({ length }, (_, i) => i);
  return { dataset, encoded: { features: { data: Float32Array.from(rows), dim: 1 }, rows, cached: false } };
}

const ALL = { column: null, share: 1, seed: 0 };

Deno.test("makeTask() leaves rows out whose label of a column is not known", () => {
  const [train, test] = [[NaN, 1, 0, 0, 1, NaN, 1, 0], [0, 1, 1, NaN]].map((values) => Float32Array.from(values));
  const classes = ["Edema", "Fracture"];
  const task = makeTask(setOf(train!, "train", classes), setOf(test!, "valid", classes), { ...ALL, column: 0 });
  assertEquals([task.name, task.classes], ["Edema", ["absent", "present"]]);
  assertEquals([...task.train.labels], [0, 1, 1]);
  assertEquals([...task.train.rows], [1, 2, 3]);
  assertEquals([...task.train.features.data], [1, 2, 3]);
  assertEquals([...task.test.labels], [0, 1]);
});

Deno.test("makeTask() says which labels are missing or wrong", () => {
  const fine = Int32Array.of(0, 1, 0, 1);
  const make = (train: Labels, test: Labels) => () => makeTask(setOf(train, "train"), setOf(test, "test"), ALL);
  assertThrows(
    make(fine, Int32Array.of(0, 2)),
    RangeError,
    "Cannot evaluate classes as every class of the test set must be in the training set: owl is not",
  );
  assertThrows(
    make(Int32Array.of(1, 1), Int32Array.of(1)),
    RangeError,
    'Cannot evaluate classes as the training set must have at least two classes: all 2 samples are "dog"',
  );
  assertThrows(
    make(Int32Array.of(0, 3), fine),
    RangeError,
    "Cannot evaluate classes as every label of the train set must be in [0, 3): got 3",
  );
  assertThrows(
    make(fine, null),
    TypeError,
    'Cannot evaluate classes as the test set of "pets" has no labels',
  );
  const unknown = Float32Array.of(NaN, 1, 1, NaN, 0, 0);
  assertThrows(
    () => makeTask(setOf(unknown, "train"), setOf(unknown, "test"), { ...ALL, column: 0 }),
    RangeError,
    "Cannot evaluate cat as no image of the train set has a label: got 2 images",
  );
});

Deno.test("scoreTask() scores a classifier, and leaves the AUROC of a class without test samples out", () => {
  const labels = Int32Array.of(0, 0, 1, 1);
  const task = makeTask(setOf(Int32Array.of(0, 1, 2), "train"), setOf(labels, "test"), ALL);
  const classifier = { weight: Float64Array.of(-1, 1, 0), bias: Float64Array.of(2.5, 0, -9), dim: 1, classes: 3 };
  const { top1, top5, auroc, confusion, per_class_accuracy } = scoreTask(task, classifier);
  assertEquals(top1, 1);
  assert(Number.isNaN(top5));
  assertEquals(auroc.map((each) => each?.auc ?? null), [1, 1, null]);
  assertEquals(confusion, [[2, 0, 0], [0, 2, 0], [0, 0, 0]]);
  assertEquals(per_class_accuracy, [1, 1, NaN]);
});

Deno.test("makeTask() joins the classes of both sets by name and refuses a class of the test set that is unknown", () => {
  const train = setOf(Int32Array.of(0, 1, 2), "train", ["apple", "banana", "plum"]);
  const task = makeTask(train, setOf(Int32Array.of(0, 1), "test", ["banana", "plum"]), ALL);
  assertEquals([...task.test.labels], [1, 2]);
  assertEquals(task.classes, ["apple", "banana", "plum"]);
  assertThrows(
    () => makeTask(train, setOf(Int32Array.of(0, 1), "test", ["banana", "quince"]), ALL),
    RangeError,
    'Cannot join the classes of "pets" (test) as all must be classes of the training set: "quince" is not',
  );
});

Deno.test("makeTask() finds a column of the test set by its name", () => {
  const train = setOf(Float32Array.of(0, 1, 1, 0), "train", ["Edema", "Fracture"]);
  const test = setOf(Float32Array.of(1, 0, 1, 0), "valid", ["Fracture", "Edema"]);
  assertEquals([...makeTask(train, test, { ...ALL, column: 0 }).test.labels], [0, 0]);
  assertEquals([...makeTask(train, test, { ...ALL, column: 1 }).test.labels], [1, 1]);
});
