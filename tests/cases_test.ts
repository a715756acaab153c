import { assertEquals, assertThrows } from "@std/assert";
import { CASES, lostCases, testArguments } from "../scripts/cases.ts";

Deno.test("every input of the field has its tests", async () => {
  assertEquals(await lostCases(), []);
  const gone = { a: [["cli/flags_test.ts", "parseFlags()", "no such test"], ["none.ts", "x"]] } as const;
  assertEquals(await lostCases(gone), ["cli/flags_test.ts: no such test", "none.ts: x"]);
});

Deno.test("testArguments() names the files and tests of some cases", () => {
  const [, , , filter, ...files] = testArguments(["short flags", "integer compare"]);
  assertEquals(filter, "/^(parseFlags\\(\\) reads short flags|.*\\(\\) of integers and any number)/");
  assertEquals(files.map((file) => file.replace(/.*\/tests\//, "")), [
    "cli/flags_test.ts",
    "ops/elementwise/compare_test.ts",
  ]);
  const rule = `Cannot run a case as it must be one of ${Object.keys(CASES).join(", ")}: got "toString"`;
  assertThrows(() => testArguments(["toString"]), RangeError, rule);
});
