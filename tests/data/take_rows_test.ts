import { assertEquals, assertStrictEquals } from "@std/assert";
import { takeRows } from "../../src/data/take_rows.ts";

Deno.test("takeRows() gathers rows in the order given, of the type of the data", () => {
  assertEquals(takeRows(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, [2, 0, 2]), Uint8Array.of(5, 6, 1, 2, 5, 6));
  assertEquals(takeRows(Int32Array.of(7, 8, 9), 1, Uint32Array.of(1)), Int32Array.of(8));
  const into = new Float32Array(2);
  assertStrictEquals(takeRows(Float32Array.of(1, 2, 3, 4), 2, [1], into), into);
  assertEquals(into, Float32Array.of(3, 4));
});
