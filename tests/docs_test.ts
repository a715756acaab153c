import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { sources } from "./_sources.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const SKIPPED = new Set([".git", "node_modules", "runs", "data", "site"]);

/** Files of the repository below a folder, by their path. */
async function filesOf(folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (!isDirectory) found.push(path);
    else if (folder !== "" || !SKIPPED.has(name)) found.push(...await filesOf(path));
  }
  return found;
}

const FILES = await filesOf();
const NAMES = new Set(FILES.map((path) => path.slice(path.lastIndexOf("/") + 1)));
const PATHS = new Set(FILES.flatMap((path) => path.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"))));

/** What a page has in `backticks`, outside of its listings. */
function quoted(text: string): string[] {
  return [...text.replaceAll(/^ *```[^]*?^ *```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, each]) => each!);
}

/** Files and folders that a page names and that are not there; it may leave their first folders out. */
function missingFiles(page: string, text: string): string[] {
  const folder = page.includes("/") ? page.slice(0, page.lastIndexOf("/")) : "";
  const links = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, each]) => join(folder, each!));
  const file = /^\w[\w./-]*\.(?:ts|wgsl|md|svg|yml)$|^(?:src|shaders|tests)\/[\w/]*$/;
  const stands = /(?:NAME|FAMILY|FOLDER|FILE)/;
  const named = quoted(text).filter((each) => file.test(each) && !stands.test(each)).map((each) =>
    each.replace(/\/$/, "")
  );
  const known = (path: string) => PATHS.has(path) || FILES.some((each) => each.endsWith(`/${path}`));
  return [...links.filter((path) => !PATHS.has(path.replace(/\/$/, ""))), ...named.filter((path) => !known(path))];
}

Deno.test("files and folders that the docs name are there", async () => {
  const pages = FILES.filter((path) => path.endsWith(".md") && path !== "CHANGELOG.md");
  assert(pages.length > 12, `only ${pages.length} pages were found`);
  const found: string[] = [];
  for (const page of pages) {
    found.push(...missingFiles(page, await Deno.readTextFile(join(ROOT, page))).map((path) => `${page}: ${path}`));
  }
  assertEquals(found, []);
  const text =
    "`src/none/a.ts`, `none_such.ts`, `src/ops/`, [a](none.md), `tests/ops/FAMILY/NAME_test.ts`, `device.ts`";
  assertEquals(missingFiles("docs/x.md", text), ["docs/none.md", "src/none/a.ts", "none_such.ts"]);
});

Deno.test("what the pages for readers of the code call by name is in the code", async () => {
  const code = [...await sources("src"), ...await sources("scripts")].map(([, text]) => text).join("\n");
  const shaders = FILES.filter((path) => /^shaders\/.*wgsl$|^deno\.json$/.test(path));
  const all = code + (await Promise.all(shaders.map((path) => Deno.readTextFile(join(ROOT, path))))).join("\n");
  for (const page of ["docs/architecture.md", "docs/debugging.md", "docs/compile.md"]) {
    const words = quoted(await Deno.readTextFile(join(ROOT, page))).filter((each) => !each.includes("://"))
      .flatMap((each) => each.match(/[A-Za-z_]\w{2,}/g) ?? []);
    assert(words.length > 40, `only ${words.length} words of ${page}`);
    assertEquals(words.filter((word) => !NAMES.has(word) && !all.includes(word)), [], page);
  }
});
