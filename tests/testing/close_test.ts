import { assertThrows } from "@std/assert";
import { assertClose } from "../../src/testing/mod.ts";

Deno.test("assertClose() measures against the largest magnitude", () => {
  assertClose([100, 1e-5], [100, 0], { rtol: 1e-6 });
  assertThrows(
    () => assertClose([100, 1e-3], [100, 0], { rtol: 1e-6 }),
    Error,
    "Values differ at 1: actual 0.001, expected 0",
  );
});

Deno.test("assertClose() adds the absolute tolerance", () => {
  assertClose([0.1], [0], { atol: 0.2 });
  assertThrows(() => assertClose([0.3], [0], { atol: 0.2 }), Error, "error 0.3 > 0.2");
});

Deno.test("assertClose() takes infinities and NaN for themselves only", () => {
  assertClose([Infinity, NaN, -Infinity], [Infinity, NaN, -Infinity]);
  assertThrows(() => assertClose([NaN], [1]), Error, "actual NaN, expected 1");
  assertThrows(() => assertClose([1], [NaN]), Error, "actual 1, expected NaN");
  assertThrows(() => assertClose([Infinity], [1e30]), Error, "actual Infinity");
});

Deno.test("assertClose() refuses other lengths", () => {
  assertThrows(() => assertClose([1], [1, 2]), Error, "Lengths differ: actual 1, expected 2");
});
