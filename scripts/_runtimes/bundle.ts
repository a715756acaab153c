import { basename, fromFileUrl, join, relative } from "@std/path";
import { transform } from "esbuild";
import { run } from "./run.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** Test files as modules that Node and browsers can import. */
export interface TestBundle {
  /** Modules of test files, by their path in the repository. */
  readonly files: readonly { readonly name: string; readonly url: string }[];
  /** Exports `Device`, the one of the tests. */
  readonly library: string;
}

/** Every file of a folder, and of folders in it; or the file itself. */
export async function* filesOf(path: string): AsyncGenerator<string> {
  if ((await Deno.stat(path)).isFile) return yield path;
  for await (const { name } of Deno.readDir(path)) yield* filesOf(join(path, name));
}

async function all(paths: readonly string[], wanted: (name: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) for await (const file of filesOf(path)) if (wanted(basename(file))) found.push(file);
  return found.sort();
}

/** Bundles the tests of files and folders into `folder`, with what they import, and puts the fixtures beside them. */
export async function bundleTests(paths: readonly string[], folder: string): Promise<TestBundle> {
  const tests = await all(paths.map((path) => join(ROOT, path)), (name) => name.endsWith("_test.ts"));
  const library = "src/device/mod.ts";
  const entries = [...tests, join(ROOT, library)];
  const flags = ["bundle", "--quiet", "--platform", "browser", "--keep-names", "--code-splitting", "--outdir", folder];
  await run(Deno.execPath(), [...flags, ...entries], ROOT);
  for (const file of await all([folder], (name) => name.endsWith(".js"))) {
    const { code } = await transform(await Deno.readTextFile(file), { format: "esm", target: "es2022" }); // no `using`
    await Deno.writeTextFile(file, code);
  }
  const fixtures = join(folder, "fixtures");
  await Deno.mkdir(fixtures);
  for (const file of await all([join(ROOT, "tests")], (name) => /\.(safetensors|json)$/.test(name))) {
    await Deno.copyFile(file, join(fixtures, basename(file)));
  }
  const moduleOf = (path: string) => `./${path.replace(/\.ts$/, ".js")}`;
  const files = tests.map((path) => relative(ROOT, path)).map((name) => ({ name, url: moduleOf(name) }));
  return { files, library: moduleOf(library) };
}
