import { assertEquals, assertThrows } from "@std/assert";
import { inOrderOf } from "../../../src/train/eval/classifier_file.ts";

const NAMED = {
  name: "classes",
  classes: ["apple", "banana", "plum"],
  classifier: { weight: Float64Array.of(1, 2, 3, 4, 5, 6), bias: Float64Array.of(7, 8, 9), dim: 2, classes: 3 },
};

Deno.test("inOrderOf() joins the classes of a classifier by name", () => {
  const { weight, bias } = inOrderOf(NAMED, ["plum", "apple", "banana"]);
  assertEquals([...weight], [3, 1, 2, 6, 4, 5]);
  assertEquals([...bias], [9, 7, 8]);
  assertEquals(inOrderOf(NAMED, NAMED.classes), NAMED.classifier);
});

Deno.test("inOrderOf() refuses a classifier of other classes and names them", () => {
  assertThrows(
    () => inOrderOf(NAMED, ["apple", "banana", "quince"]),
    TypeError,
    'the classifier must be for its 3 classes: got one for 3, which lacks "quince" and has "plum" besides',
  );
  assertThrows(() => inOrderOf(NAMED, ["apple", "plum"]), TypeError, 'lacks none and has "banana" besides');
});
