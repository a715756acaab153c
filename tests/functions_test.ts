import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const LONGEST = 40;

/** Functions and methods of formatted code, with their lines from the first of the head to the closing brace. */
function functionsOf(text: string): { name: string; lines: number }[] {
  const lines = text.split("\n");
  const head =
    /^( *)(?:(?:export |default |async )*function\*? (\w+)|(?!(?:if|for|while|switch|catch|return|throw|new|await|super)\b)(?:(?:static|async|override|get|set) )*\*?(#?\w+)(?:<[^(]*>)?\((?!.*;$))/;
  return lines.flatMap((line, start) => {
    const [, indent, name, method] = line.match(head) ?? [];
    const found = name ?? method;
    if (found === undefined || (name === undefined && indent === "")) return [];
    for (let end = start; end < lines.length; end++) {
      if (lines[end] === `${indent}}`) return [{ name: found, lines: end - start + 1 }];
      // The next thing at this depth, or one further out, begins before a body was closed: this was a call or a type.
      const inside = lines[end] === "" || lines[end]!.startsWith(`${indent} `) || /^ *[)}\]]/.test(lines[end]!);
      if (end > start && (!inside || !lines[end]!.startsWith(lines[end] === "" ? "" : indent!))) return [];
    }
    return [];
  });
}

async function sourceFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await sourceFiles(path));
    else if (path.endsWith(".ts") && !path.startsWith("src/shaders/")) found.push(path);
  }
  return found;
}

Deno.test("functions are at most 40 lines long", async () => {
  const folders = ["src", "tests", "bench", "examples", "scripts", "std", "page"];
  const files = (await Promise.all(folders.map(sourceFiles))).flat();
  const long = new Map<string, number>();
  let count = 0;
  for (const file of files) {
    for (const { name, lines } of functionsOf(await Deno.readTextFile(join(ROOT, file)))) {
      count++;
      if (lines > LONGEST) long.set(`${file} ${name}`, lines);
    }
  }
  assert(count > 3000, `only ${count} functions were found`);
  assertEquals([...long], []);
});

Deno.test("the rule of functions counts heads, bodies and methods", () => {
  const body = (indent: string, n: number) => `${indent}  a();\n`.repeat(n);
  const text =
    `export async function* one(\n  a: A,\n): B {\n${body("", 40)}}\nclass C {\n  static async two<T>(a: T) {\n` +
    `${body("  ", 39)}  }\n  three() {\n    if (a) {\n    }\n  }\n}\ncall(() => {\n});\n`;
  assertEquals(functionsOf(text), [{ name: "one", lines: 44 }, { name: "two", lines: 41 }, {
    name: "three",
    lines: 4,
  }]);
});
