import { assertEquals, assertThrows } from "@std/assert";
import { judgedImages } from "../../../src/jobs/pretrain/evaluate_knn.ts";
import type { JobSettings } from "../../../src/jobs/mod.ts";
import { smallDataset } from "../../train/_small.ts";

const settings = { eval_every: 1 } as JobSettings;

Deno.test("judgedImages() gives held-out images the classes of the training images, and says which are missing", () => {
  const heldOut = { ...smallDataset(4), split: "test", classes: ["b", "c"], labels: Int32Array.of(0, 1, 1, 0) };
  const judged = judgedImages({ dataset: smallDataset(6), heldOut, settings });
  assertEquals(judged.heldOut?.labels, Int32Array.of(1, 2, 2, 1));
  assertEquals(judged.notes, ['"small" (test): 1 of 3 classes has no image: "a"']);
});

Deno.test("judgedImages() refuses unknown classes where evaluations are wanted, and says what to do", () => {
  const heldOut = { ...smallDataset(3), split: "test", classes: ["a", "b", "z"] };
  assertThrows(
    () => judgedImages({ dataset: smallDataset(6), heldOut, settings }),
    RangeError,
    '"z" is not (--eval_every 0 trains without evaluations)',
  );
  const none = { ...settings, eval_every: 0 };
  assertEquals(judgedImages({ dataset: smallDataset(6), heldOut, settings: none }), { heldOut, notes: [] });
});

Deno.test("judgedImages() leaves held-out images without labels out, with a note", () => {
  const heldOut = { ...smallDataset(3), split: "test", classes: [], labels: null };
  assertEquals(judgedImages({ dataset: smallDataset(6), heldOut, settings }), {
    heldOut: null,
    notes: ['"small" (test) has no labels: evaluations judge the training images by each other'],
  });
});
