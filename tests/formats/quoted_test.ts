import { assertEquals } from "@std/assert";
import { escapeCommands, jsonLine, printable, quoted, quotedSome } from "../../src/formats/quoted.ts";

Deno.test("escapeCommands() leaves nothing that a terminal obeys", () => {
  assertEquals(escapeCommands("a\x1b[31mb\r\n\t\x7f\x9b2J"), "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f\\x9b2J");
  assertEquals(escapeCommands("exe.\u202egnp\u2066\u2028"), "exe.\\u202egnp\\u2066\\u2028");
  assertEquals(escapeCommands('Größe "猫" 🐈.jpg'), 'Größe "猫" 🐈.jpg');
});

Deno.test("quoted() is bounded, whatever the value", () => {
  assertEquals(quoted("a"), '"a"');
  assertEquals(quoted("a".repeat(100), 5), '"aaaaa…"');
  let deep: unknown = null;
  for (let i = 0; i < 1e6; i++) deep = [deep];
  assertEquals(quoted(deep), "a list of 1");
  const cases: [unknown, string][] = [
    [[1, -2.5], "[1,-2.5]"],
    [{ a: null, b: "\x1b" }, '{"a":null,"b":"\\u001b"}'],
    [[[1]], "a list of 1"],
    [Array(9).fill(0), "a list of 9"],
    [["a".repeat(80)], "a list of 1"],
    [{ toString: null }, '{"toString":null}'],
    [{ a: 1n }, "an object"],
    [new Map([[1, 2]]), "an object"],
    [undefined, "nothing"],
    [null, "null"],
    [NaN, "NaN"],
    [10n ** 100n, `1${"0".repeat(59)}`],
  ];
  for (const [value, text] of cases) assertEquals(quoted(value), text);
});

Deno.test("quotedSome() counts what it leaves out", () => {
  assertEquals(quotedSome([]), "none");
  assertEquals(quotedSome(new Map([["a", 1], ["b", 2]]).keys()), '"a", "b"');
  assertEquals(quotedSome("abcdefg"), '"a", "b", "c", "d", "e" and 2 more');
});

Deno.test("printable() keeps lines and jsonLine() stays JSON", () => {
  assertEquals(printable("a\x1b[2J\nb\r\x9b"), "a\\x1b[2J\nb\\x0d\\x9b");
  const value = { path: "a\x1b[2J\n\x9b\u202e.jpg" };
  assertEquals(jsonLine(value), '{"path":"a\\u001b[2J\\n\\u009b\\u202e.jpg"}');
  assertEquals(JSON.parse(jsonLine(value)), value);
});
