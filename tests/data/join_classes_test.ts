import { assertEquals, assertThrows } from "@std/assert";
import { type ImageDataset, joinClasses, type Labels } from "../../src/data/mod.ts";

function setOf(labels: Labels, classes: string[]): ImageDataset {
  const length = labels === null ? 2 : labels instanceof Int32Array ? labels.length : labels.length / classes.length;
  return {
    ...{ name: "fruit", split: "test", length, classes, labels, resolution: 1, notes: [] },
    mean: [0, 0, 0],
    std: [1, 1, 1],
    pixels: { data: new Uint8Array(3 * length), height: 1, width: 1 },
  };
}

Deno.test("joinClasses() numbers labels by the other list, whatever is missing or in another order", () => {
  const joined = joinClasses(setOf(Int32Array.of(0, 1, 1), ["plum", "banana"]), ["apple", "banana", "plum"]);
  assertEquals(joined.classes, ["apple", "banana", "plum"]);
  assertEquals(joined.labels, Int32Array.of(2, 1, 1));
  assertEquals(joined.notes, ['"fruit" (test): 1 of 3 classes has no image: "apple"']);
});

Deno.test("joinClasses() leaves equal lists as they are, and takes a class without images for none", () => {
  const same = joinClasses(setOf(Int32Array.of(0, 1), ["a", "b"]), ["a", "b"]);
  assertEquals([same.labels, same.notes], [Int32Array.of(0, 1), []]);
  const more = joinClasses(setOf(Int32Array.of(0, 1), ["a", "b", "never seen"]), ["b", "a"]);
  assertEquals(more.labels, Int32Array.of(1, 0));
});

Deno.test("joinClasses() joins names that are written composed and decomposed", () => {
  const joined = joinClasses(setOf(Int32Array.of(0, 1), ["Cafe\u0301", "Tee"]), ["Caf\u00e9", "Tee"]);
  assertEquals(joined.labels, Int32Array.of(0, 1));
  assertEquals(joined.classes, ["Caf\u00e9", "Tee"]);
});

Deno.test("joinClasses() puts columns in order, and a missing one is not known", () => {
  const joined = joinClasses(setOf(Float32Array.of(1, 0, 0, NaN), ["Fracture", "Edema"]), [
    "Edema",
    "Lesion",
    "Fracture",
  ]);
  assertEquals(joined.labels, Float32Array.of(0, NaN, 1, NaN, NaN, 0));
  assertEquals(joined.notes, ['"fruit" (test): 1 of 3 classes has no image: "Lesion"']);
});

Deno.test("joinClasses() refuses unknown classes, missing labels, names that come twice and labels out of range", () => {
  assertThrows(
    () => joinClasses(setOf(Int32Array.of(0, 1), ["banana", "plum"]), ["apple", "banana"]),
    RangeError,
    'Cannot join the classes of "fruit" (test) as all must be classes of the training set: "plum" is not',
  );
  assertThrows(
    () => joinClasses(setOf(Float32Array.of(0, 1), ["x", "y"]), ["z"]),
    RangeError,
    '"x", "y" are not',
  );
  assertThrows(
    () => joinClasses(setOf(null, []), ["apple"]),
    TypeError,
    'Cannot join the classes of "fruit" (test) as it has no labels',
  );
  assertThrows(
    () => joinClasses(setOf(Int32Array.of(0), ["a"]), ["a", "a"]),
    TypeError,
    'Cannot join classes by name as no name may come twice: those of "fruit" (test) are joined with "a" twice',
  );
  assertThrows(
    () => joinClasses(setOf(Int32Array.of(2), ["a", "b"]), ["a", "b"]),
    RangeError,
    'Cannot join the classes of "fruit" (test) as every label must be in [0, 2): got 2',
  );
});
