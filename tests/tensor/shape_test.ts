import { assertEquals, assertThrows } from "@std/assert";
import { broadcastShapes, sameShape, sizeOf } from "../../src/tensor/mod.ts";
import { checkShape, normalizeDim, normalizeDims, stridesOf } from "../../src/tensor/internal.ts";

Deno.test("sizeOf() and stridesOf() are row-major", () => {
  assertEquals([[], [3], [2, 3, 4], [2, 0]].map(sizeOf), [1, 3, 24, 0]);
  assertEquals([[], [3], [2, 3, 4], [2, 0, 3]].map(stridesOf), [[], [1], [12, 4, 1], [0, 3, 1]]);
  assertEquals([sameShape([2, 3], [2, 3]), sameShape([2], [2, 1]), sameShape([2], [3])], [true, false, false]);
});

Deno.test("broadcastShapes() follows NumPy", () => {
  const cases: [number[], number[], number[]][] = [
    [[], [], []],
    [[3], [], [3]],
    [[2, 3], [3], [2, 3]],
    [[2, 1], [3], [2, 3]],
    [[1, 3], [2, 1], [2, 3]],
    [[5, 1, 4], [3, 1], [5, 3, 4]],
    [[1], [0], [0]],
    [[0, 1], [1, 3], [0, 3]],
  ];
  for (const [a, b, expected] of cases) {
    assertEquals(broadcastShapes(a, b, "add"), expected);
    assertEquals(broadcastShapes(b, a, "add"), expected);
  }
});

Deno.test("broadcastShapes() throws with both shapes", () => {
  assertThrows(
    () => broadcastShapes([2, 3], [2], "add"),
    TypeError,
    "Cannot compute add() as the shapes do not broadcast: got [2,3] and [2]",
  );
  assertThrows(() => broadcastShapes([2], [0], "add"), TypeError, "got [2] and [0]");
});

Deno.test("normalizeDim() counts negative dims from the end and throws outside", () => {
  assertEquals([normalizeDim(0, 3, "sum"), normalizeDim(-1, 3, "sum"), normalizeDim(-3, 3, "sum")], [0, 2, 0]);
  for (const dim of [3, -4, 0.5, NaN]) {
    assertThrows(
      () => normalizeDim(dim, 3, "sum"),
      RangeError,
      `Cannot compute sum() as dim must be in [-3, 2]: got ${dim}`,
    );
  }
});

Deno.test("normalizeDims() refuses what is no number, of untyped code, in words", () => {
  for (const dim of ["1", true, null, 1n, -1n, {}] as unknown[] as number[]) {
    assertThrows(() => normalizeDims(dim, 3, "sum"), RangeError, "Cannot compute sum() as dim must be in [-3, 2]: got");
    assertThrows(
      () => normalizeDims([dim], 3, "sum"),
      RangeError,
      "Cannot compute sum() as dim must be in [-3, 2]: got",
    );
  }
});

Deno.test("normalizeDims() sorts, takes all by default, and throws on repetition", () => {
  assertEquals(normalizeDims(undefined, 3, "sum"), [0, 1, 2]);
  assertEquals(normalizeDims(-1, 3, "sum"), [2]);
  assertEquals(normalizeDims([2, -3], 3, "sum"), [0, 2]);
  assertEquals(normalizeDims([], 3, "sum"), []);
  assertThrows(
    () => normalizeDims([0, -3], 3, "sum"),
    RangeError,
    "Cannot compute sum() as dims must differ: got [0,-3]",
  );
});

Deno.test("checkShape() throws on sizes that are none", () => {
  checkShape([0, 1, 5], "a tensor");
  assertThrows(
    () => checkShape([2, -1], "a tensor"),
    RangeError,
    "Cannot make a tensor as every size must be an integer >= 0: got [2,-1]",
  );
});
