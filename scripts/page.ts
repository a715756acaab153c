/**
 * Builds the page that learns in the browser, and serves it: `deno task page [--build FOLDER]`. What it builds is static
 * files, for any host.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import { transform } from "esbuild";
import { loadEmoji } from "../src/data/mod.ts";
import { run } from "./_runtimes/run.ts";
import { serveFolder } from "./_runtimes/serve.ts";
import { checkFlags } from "./_usage.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
/** Writes the emoji: a table, and the pixels of both vendors, compressed. */
async function writeEmoji(folder: string): Promise<void> {
  const { names, labels, pixels, prior } = await loadEmoji({ vendors: ["twitter", "google"] });
  const words = names.map((_, i) => {
    const row = prior.data.subarray(i * prior.dim, (i + 1) * prior.dim);
    return [...row.keys()].filter((word) => row[word] === 1);
  });
  const table = { names, labels: [...labels], words, dim: prior.dim };
  await Deno.writeTextFile(join(folder, "emoji.json"), JSON.stringify(table));
  const packed = new Blob([pixels.twitter, pixels.google]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(join(folder, "emoji.bin.gz"), packed);
}

/** Builds the page into a folder: what it holds can be put on any static host. */
export async function buildPage(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const flags = ["bundle", "--quiet", "--minify", "--platform", "browser", "--outdir", folder];
  await run(Deno.execPath(), [...flags, "page/main.ts", "page/worker.ts"], ROOT);
  for (const name of ["main.js", "worker.js"]) {
    const { code } = await transform(await Deno.readTextFile(join(folder, name)), {
      format: "esm",
      minify: true,
      target: "es2022", // not every browser has `using`
    });
    await Deno.writeTextFile(join(folder, name), code);
  }
  for (const name of ["index.html", "style.css"]) await Deno.copyFile(join(ROOT, "page", name), join(folder, name));
  await writeEmoji(folder);
}

if (import.meta.main) {
  checkFlags("Usage: deno task page [--build FOLDER] [--port 8000]", ["--build", "--port"]);
  const { build, port } = parseArgs(Deno.args, { string: ["build", "port"] });
  const folder = build ?? "runs/page";
  await buildPage(folder);
  console.log(`The page is in ${folder}`);
  if (!build) console.log(`Open http://localhost:${serveFolder(folder, Number(port ?? 8000)).addr.port}`);
}
