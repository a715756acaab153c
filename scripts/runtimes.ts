/**
 * Runs tests of the library on other implementations of WebGPU, and ends with the summary of `deno test`:
 *
 *     deno run -A scripts/runtimes.ts node tests/ops/move        # Node with npm's `webgpu`: Dawn
 *     deno run -A scripts/runtimes.ts chromium tests/ops/move    # a Worker of a page in headless Chromium: SwiftShader
 *     deno run -A scripts/runtimes.ts node tests/ops/conv/conv2d_test.ts --filter "form rows"   # text, or /a pattern/
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import { bundleTests } from "./_runtimes/bundle.ts";
import { ChromiumPage, findChromium } from "./_runtimes/chromium.ts";
import { run } from "./_runtimes/run.ts";
import { serveFolder } from "./_runtimes/serve.ts";
import { withoutNode } from "./_runtimes/without_node.ts";

const here = (name: string) => fromFileUrl(new URL(`_runtimes/${name}`, import.meta.url));
/** Longest time that tests may take in Chromium, s. */
const LONGEST = 600;

async function bundle(paths: readonly string[], folder: string, own: readonly string[]): Promise<void> {
  await Deno.writeTextFile(join(folder, "tests.json"), JSON.stringify({ ...await bundleTests(paths, folder), filter }));
  for (const name of [...own, "tests.mjs"]) await Deno.copyFile(here(name), join(folder, name));
}

async function inNode(paths: readonly string[], folder: string): Promise<number> {
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", "webgpu@^0.6"], folder);
  await bundle(paths, folder, ["node.mjs"]);
  const child = new Deno.Command("node", { args: ["node.mjs"], cwd: folder, stdin: "null" }).spawn();
  return (await child.status).code;
}

const PAGE = `<!doctype html><meta charset="utf-8"><script>
var lines = [], done = false;
new Worker("worker.mjs", { type: "module" }).onmessage = ({ data }) => data === null ? done = true : lines.push(data);
</script>`;

async function inChromium(paths: readonly string[], folder: string): Promise<number> {
  const chromium = await findChromium();
  if (!chromium) throw new Error("Cannot run tests in Chromium as there is none: apt-get install chromium");
  await bundle(paths, folder, ["worker.mjs", "node_in_page.mjs"]);
  await withoutNode(folder, "node_in_page.mjs");
  await Deno.writeTextFile(join(folder, "index.html"), PAGE);
  const server = serveFolder(folder);
  await using page = await ChromiumPage.open(chromium);
  await page.go(`http://127.0.0.1:${server.addr.port}/`);
  await page.until("globalThis.done", LONGEST);
  const lines = await page.evaluate<string[]>("lines");
  console.log(lines.join("\n"));
  await server.shutdown();
  return /^\s*ok \| [1-9]/.test(lines.at(-1) ?? "") ? 0 : 1;
}

const RUNTIMES: Record<string, typeof inNode> = { node: inNode, chromium: inChromium };

const { _, filter } = parseArgs(Deno.args, { string: ["_", "filter"] });
const [runtime = "", ...paths] = _.map(String);
const start = RUNTIMES[runtime];
if (!start) throw new TypeError(`Cannot run tests as the runtime must be node or chromium: got "${runtime}"`);
const folder = await Deno.makeTempDir();
let status = 1;
try {
  status = await start(paths, folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(status);
