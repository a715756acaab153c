// Holds the stand-in for @std/path against what @std/path documents, on POSIX.
import { assertEquals, assertThrows } from "@std/assert";
import {
  basename,
  dirname,
  extname,
  fromFileUrl,
  join,
  relative,
  resolve,
  toFileUrl,
} from "../../../std/stand_ins/path.ts";

const posix = Deno.build.os !== "windows";

function test(name: string, fn: () => void): void {
  Deno.test({ name, ignore: !posix, fn });
}

test("join() normalises, and takes a URL first", () => {
  assertEquals(join("a", "..", "b", "./c", "/d"), "b/c/d");
  assertEquals(join("", ""), ".");
  assertEquals(join(new URL("file:///tmp/x%20y/"), "z"), "/tmp/x y/z");
});

test("basename(), dirname() and extname() take a path apart", () => {
  assertEquals(basename("/a/b.tar.gz"), "b.tar.gz");
  assertEquals(basename("/a/b.ts", ".ts"), "b");
  assertEquals(basename(new URL("file:///a/b.ts")), "b.ts");
  assertEquals(dirname("/a/b/c.ts"), "/a/b");
  assertEquals(dirname("c.ts"), ".");
  assertEquals(dirname(new URL("file:///a/b.ts")), "/a");
  assertEquals([extname("a.tar.gz"), extname("a"), extname(".gitignore")], [".gz", "", ""]);
});

test("resolve() and relative() know the root", () => {
  assertEquals(resolve("/a", "b", "../c"), "/a/c");
  assertEquals(resolve("x"), join(Deno.cwd(), "x"));
  assertEquals(relative("/a/b/c", "/a/d"), "../../d");
  assertEquals(relative("/a", "/a"), "");
});

test("fromFileUrl() and toFileUrl() are inverse", () => {
  for (const path of ["/tmp/a b%20ü#?.ts", "/tmp/", "/"]) assertEquals(fromFileUrl(toFileUrl(path)), path);
  assertEquals(fromFileUrl("file:///home/x%25y"), "/home/x%y");
  assertEquals(toFileUrl("/a b").href, "file:///a%20b");
  assertThrows(() => fromFileUrl("https://a.test/b"), TypeError, 'URL must be a file URL: received "https:"');
  assertThrows(() => toFileUrl("a"), TypeError, 'Path must be absolute: received "a"');
});
