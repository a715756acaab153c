import { assertEquals, assertLess } from "@std/assert";
import { parseDecimal } from "../../src/formats/decimal.ts";

Deno.test("parseDecimal() reads decimal numbers", () => {
  const cases = { "0": 0, "-1.5": -1.5, "+2": 2, ".5": 0.5, "3.": 3, "1e3": 1000, " 7\t": 7, "-2E-1": -0.2, "007": 7 };
  for (const [text, value] of Object.entries(cases)) assertEquals(parseDecimal(text), value, text);
});

Deno.test("parseDecimal() takes nothing else for a number", () => {
  const others = [
    "",
    " ",
    "\n",
    "0x10",
    "0b1",
    "Infinity",
    "inf",
    "nan",
    "1e999",
    "1,5",
    "1_0",
    "1n",
    "--1",
    "1 2",
    "e5",
    ".",
    "true",
  ];
  for (const text of others) assertEquals(parseDecimal(text), null, JSON.stringify(text));
  const start = performance.now(); // of digits that end in something else, every part was tried as a fraction
  assertEquals(parseDecimal(`${"1".repeat(1_000_000)}x`), null);
  assertLess(performance.now() - start, 5000);
});
