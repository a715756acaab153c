import { assertEquals, assertThrows } from "@std/assert";
import { parseJson } from "../../src/formats/json.ts";

Deno.test("parseJson() reads what JSON.parse reads", () => {
  for (
    const text of ['{"a":[1,{"b":null}],"c":"\\\\\\"}{"}', "[]", '"a:{b"', '{"a":{"a":1},"b":{"a":2}}', "1", '{"":""}']
  ) {
    assertEquals(parseJson(text, "x"), JSON.parse(text));
  }
});

Deno.test("parseJson() refuses what is no JSON, too deep, or has a key twice", () => {
  const refuses = (text: string, message: string) =>
    assertThrows(() => parseJson(text, "x.json"), SyntaxError, `Cannot read x.json as ${message}`);
  refuses("", 'it must be JSON: got ""');
  refuses("{\x1b", 'it must be JSON: got "{\\x1b"');
  refuses("[".repeat(101) + "]".repeat(101), "at most 100 brackets may be inside each other: got more");
  refuses("[".repeat(1e6) + "]".repeat(1e6), "at most 100 brackets may be inside each other: got more");
  refuses('{"a":1,"\\u0061":2}', 'no key may come twice: got "a"');
  refuses('[{"b":{"c\\\\":1,"c\\\\":2}}]', 'no key may come twice: got "c\\"');
  assertEquals(parseJson("[".repeat(100) + "]".repeat(100), "x") instanceof Array, true);
});
