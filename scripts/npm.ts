/**
 * Packs the core for npm: `deno run -A scripts/npm.ts [FILE.tgz]`. ES modules with types for Node 20 and browsers, without
 * dependencies: what `deno pack` makes of the entries that touch no files, with `using` written out.
 *
 * @module
 */
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { transform } from "esbuild";
import { checkFlags } from "./_usage.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** Entries that use web APIs only. */
export const CORE = [".", "./device", "./ops", "./nn", "./losses", "./kernels", "./optim", "./augment"] as const;

/** Entries that run where there is WebGPU; those beyond the core ask for Deno only where a path or a launcher is given. */
export const ENTRIES = [...CORE, "./views", "./weights", "./train"] as const;

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot pack as ${command} ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
}

/** Copies what the entries may import, with a configuration of these entries only. */
async function stage(folder: string): Promise<void> {
  const { name, version, license, exports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const entries = Object.fromEntries(ENTRIES.map((entry) => [entry, exports[entry]]));
  await run("cp", ["-r", "src", "mod.ts", "README.md", "LICENSE", "CHANGELOG.md", folder], ROOT);
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ name, version, license, exports: entries }));
}

async function finish(folder: string): Promise<void> {
  for await (const path of files(folder)) {
    if (path.endsWith(".ts") && !path.endsWith(".d.ts")) await Deno.remove(path); // sources, which deno pack takes along
    if (!path.endsWith(".js")) continue;
    const { code } = await transform(await Deno.readTextFile(path), { format: "esm", target: "es2022" });
    await Deno.writeTextFile(path, code);
  }
  const manifest = join(folder, "package.json");
  const packed = JSON.parse(await Deno.readTextFile(manifest));
  const more = { engines: { node: ">=20" }, sideEffects: false };
  await Deno.writeTextFile(manifest, JSON.stringify({ ...packed, ...more }, null, 2));
  for (const { types } of Object.values<{ types: string }>(packed.exports)) await nameDisposable(join(folder, types));
}

/** Makes TypeScript load the types of `using`, which its default library lacks where the target is a year's. */
async function nameDisposable(path: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `/// <reference lib="esnext.disposable" />\n${text}`);
}

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* files(join(folder, name));
    else yield join(folder, name);
  }
}

/** Writes the tarball. */
export async function pack(target: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await stage(folder);
    await run(Deno.execPath(), ["pack", "--allow-dirty", "--no-source-maps", "-o", join(folder, "raw.tgz")], folder);
    await run("tar", ["xzf", "raw.tgz"], folder);
    await finish(join(folder, "package"));
    await Deno.mkdir(dirname(resolve(target)), { recursive: true });
    await run("tar", ["czf", resolve(target), "package"], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  checkFlags("Usage: deno run -A scripts/npm.ts [uniformity.tgz]");
  await pack(Deno.args[0] ?? "uniformity.tgz");
}
