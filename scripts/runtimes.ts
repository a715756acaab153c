/**
 * Runs tests of the library on other implementations of WebGPU: `deno run -A scripts/runtimes.ts node tests/ops tests/nn`
 * in Node with npm's `webgpu` (Dawn). The tests are bundled with a small `Deno.test()`; the last line is deno test's.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { bundleTests } from "./_runtimes/bundle.ts";
import { run } from "./_runtimes/run.ts";

const here = (name: string) => fromFileUrl(new URL(`_runtimes/${name}`, import.meta.url));

async function inNode(paths: readonly string[], folder: string): Promise<number> {
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", "webgpu@^0.6"], folder);
  await Deno.writeTextFile(join(folder, "tests.json"), JSON.stringify(await bundleTests(paths, folder)));
  for (const name of ["node.mjs", "tests.mjs"]) await Deno.copyFile(here(name), join(folder, name));
  const child = new Deno.Command("node", { args: ["node.mjs"], cwd: folder, stdin: "null" }).spawn();
  return (await child.status).code;
}

const [runtime, ...paths] = Deno.args;
if (runtime !== "node") throw new TypeError(`Cannot run tests as the runtime must be node: got ${runtime}`);
const folder = await Deno.makeTempDir();
let status = 1;
try {
  status = await inNode(paths, folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(status);
