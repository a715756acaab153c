import { assertEquals } from "@std/assert";
import { parseArgs } from "../../../std/stand_ins/parse_args.ts";

/** Holds at type check that two types are the same. */
function sameType<A, B>(_same: [A] extends [B] ? [B] extends [A] ? true : false : false): void {}

Deno.test("parseArgs() reads long options", () => {
  assertEquals(parseArgs(["--foo", "--bar=baz", "./quux.txt"]), { foo: true, bar: "baz", _: ["./quux.txt"] });
  assertEquals(parseArgs(["--host", "localhost", "--port", "555"]), { host: "localhost", port: 555, _: [] });
  assertEquals(parseArgs(["--no-moo"]), { "no-moo": true, _: [] });
  assertEquals(parseArgs(["-v", "a", "-v", "b"]), { v: "b", _: [] });
  assertEquals(parseArgs(["--s=X\nX"]), { s: "X\nX", _: [] });
});

Deno.test("parseArgs() reads short options", () => {
  assertEquals(parseArgs(["-b=123", "-a=whatever", "-f=abc=def", "-e=="]), {
    b: 123,
    a: "whatever",
    f: "abc=def",
    e: "=",
    _: [],
  });
  assertEquals(parseArgs(["-n123"]), { n: 123, _: [] });
  assertEquals(parseArgs(["-123", "456"]), { 1: true, 2: true, 3: 456, _: [] });
  assertEquals(parseArgs(["-cats", "meow"]), { c: true, a: true, t: true, s: "meow", _: [] });
  assertEquals(parseArgs(["-h", "localhost", "-fp", "555", "x.js"]), { f: true, p: 555, h: "localhost", _: ["x.js"] });
  assertEquals(parseArgs(["-xyz/foo/bar"]), { x: true, y: true, z: "/foo/bar", _: [] });
});

Deno.test("parseArgs() takes a hyphen for a value", () => {
  assertEquals(parseArgs(["-n", "-"]), { n: "-", _: [] });
  assertEquals(parseArgs(["-"]), { _: ["-"] });
  assertEquals(parseArgs(["-f-"]), { f: "-", _: [] });
  assertEquals(parseArgs(["-b", "-"], { boolean: ["b"] }), { b: true, _: ["-"] });
  assertEquals(parseArgs(["-s", "-"], { string: ["s"] }), { s: "-", _: [] });
});

Deno.test("parseArgs() turns what looks like a number into one", () => {
  const args = parseArgs(["-x", "1234", "-y", "5.67", "-z", "1e7", "-w", "10f", "--hex", "0xff", "--neg=-2", "789"]);
  assertEquals(args, { x: 1234, y: 5.67, z: 1e7, w: "10f", hex: 255, neg: -2, _: [789] });
  assertEquals(parseArgs(["-x", "\t"]).x, "\t");
  assertEquals<unknown>(parseArgs(["-s", "0001234", " "], { string: ["s", "_"] }), { s: "0001234", _: [" "] });
});

Deno.test("parseArgs() gives a string option without a value the empty string", () => {
  assertEquals(parseArgs(["--str"], { string: ["str"] }).str, "");
  assertEquals(parseArgs(["-art"], { string: ["a", "t"] }), { a: "", r: true, t: "", _: [] });
  assertEquals(parseArgs([], { string: ["str"] }), { _: [] });
});

Deno.test("parseArgs() lets boolean options take no value", () => {
  assertEquals(parseArgs(["-x", "-z", "one"], { boolean: ["x", "y", "z"] }), {
    x: true,
    y: false,
    z: true,
    _: ["one"],
  });
  assertEquals(parseArgs(["--boool=false"], { boolean: ["boool"], default: { boool: true } }), { boool: false, _: [] });
  assertEquals(parseArgs(["--verbose", "false", "moo", "-t", "true"], { boolean: ["t", "verbose"] }), {
    verbose: false,
    t: true,
    _: ["moo"],
  });
  assertEquals(parseArgs(["-t", "true123"], { boolean: ["t"] }), { t: true, _: ["true123"] });
  assertEquals(parseArgs(["--other=true"], { boolean: ["b"] }).other, "true");
});

Deno.test("parseArgs() negates the options that may be negated", () => {
  const options = { boolean: ["foo"], negatable: ["foo"] } as const;
  assertEquals(parseArgs(["--foo", "--no-foo"], options).foo, false);
  assertEquals(parseArgs(["--no-foo", "--foo", "123"], options), { foo: true, _: [123] });
  assertEquals(parseArgs(["--no-foo", "--no-bar"], options), { foo: false, "no-bar": true, _: [] });
});

Deno.test("parseArgs() sets every alias", () => {
  for (const args of [["-h", "derp"], ["--herp", "derp"]]) {
    assertEquals(parseArgs(args, { boolean: ["h"], alias: { h: "herp" } }), { h: true, herp: true, _: ["derp"] });
  }
  assertEquals(parseArgs(["-s", "000"], { string: ["str"], alias: { str: "s" } }), { str: "000", s: "000", _: [] });
  assertEquals(parseArgs([], { default: { z: 3 }, alias: { z: "zoom" } }), { z: 3, zoom: 3, _: [] });
});

Deno.test("parseArgs() uses defaults for what is not given", () => {
  assertEquals(parseArgs(["--lr", "0.1"], { default: { lr: 0.3, epochs: 10 } }), { lr: 0.1, epochs: 10, _: [] });
  assertEquals(parseArgs([], { boolean: ["maybe"], default: { maybe: true } }), { maybe: true, _: [] });
});

Deno.test("parseArgs() stops at --", () => {
  assertEquals(parseArgs(["-a", "--", "b", "--c"]), { a: true, _: ["b", "--c"] });
});

Deno.test("parseArgs() reports what no option names", () => {
  const seen: unknown[] = [];
  const options = {
    boolean: ["known"],
    unknown(...call: unknown[]) {
      seen.push(call);
      return false;
    },
  };
  assertEquals<unknown>(parseArgs(["--known", "--bad=1", "word", "-p", "5"], options), { known: true, _: [] });
  assertEquals(seen, [["--bad=1", "bad", "1"], ["word"], ["-p", "p", "5"]]);
});

Deno.test("parseArgs() types what the options declare", () => {
  const args = parseArgs(["--out", "x"], {
    string: ["out", "data"],
    boolean: ["faithful"],
    default: { data: "data", epochs: 4 },
    alias: { out: "o" },
  });
  sameType<typeof args.out, string | undefined>(true);
  sameType<typeof args.data, string>(true);
  sameType<typeof args.faithful, boolean>(true);
  sameType<typeof args.epochs, unknown>(true);
  sameType<typeof args.other, unknown>(true);
  sameType<typeof args._, (string | number)[]>(true);
  assertEquals(args, { out: "x", o: "x", data: "data", epochs: 4, faithful: false, _: [] });
});
