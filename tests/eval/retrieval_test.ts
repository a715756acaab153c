import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { centredUnit, labelChance, labelRate, matchRate, meanOf, nearest } from "../../src/eval/mod.ts";

const square = { data: new Float32Array([1, 0, 0, 1, -1, 0, 0, -1]), dim: 2 };

Deno.test("nearest() orders by dot product, ties to the lower row", () => {
  const queries = { data: new Float32Array([1, 0.5, 0, 0]), dim: 2 };
  assertEquals([...nearest(queries, square, { k: 4 }).rows], [0, 1, 3, 2, 0, 1, 2, 3]);
});

Deno.test("nearest() leaves the query itself out with skipSelf", () => {
  assertEquals([...nearest(square, square, { k: 1, skipSelf: true }).rows], [1, 0, 1, 0]);
});

Deno.test("nearest() refuses other widths and a k out of range", () => {
  assertThrows(() => nearest({ data: new Float32Array(3), dim: 3 }, square, { k: 1 }), TypeError, "got 3 and 2");
  assertThrows(() => nearest(square, square, { k: 5 }), RangeError, "k must be in [1, 4]: got 5");
  assertThrows(() => nearest(square, square, { k: 4, skipSelf: true }), RangeError, "k must be in [1, 3]: got 4");
});

Deno.test("centredUnit() centres and scales, and leaves a row at the centre at 0", () => {
  const { data } = centredUnit({ data: new Float32Array([3, 4, 1, 4, 2, 4]), dim: 2 });
  assertEquals([...data], [1, 0, -1, 0, 0, 0]);
  assertEquals([...meanOf({ data: new Float32Array([3, 4, 1, 4]), dim: 2 })], [2, 4]);
});

Deno.test("centredUnit() names the row that is not finite", () => {
  assertThrows(
    () => centredUnit({ data: new Float32Array([1, 2, NaN, 4]), dim: 2 }, new Float64Array(2)),
    RangeError,
    "row 1",
  );
});

Deno.test("matchRate() counts queries whose own row is found, labelRate() those whose label is", () => {
  const found = { rows: new Uint32Array([0, 1, 2, 1, 0, 2]), k: 2 };
  assertAlmostEquals(matchRate(found, 1), 1 / 3);
  assertEquals(matchRate(found, 2), 1);
  assertAlmostEquals(labelRate(found, [5, 6, 7], [5, 6, 6]), 2 / 3);
});

Deno.test("labelChance() is the share of pairs with one label", () => {
  assertAlmostEquals(labelChance([0, 0, 1], [0, 1]), 0.5);
  assertAlmostEquals(labelChance([0, 2], [0, 0, 0, 1]), 0.375);
});
