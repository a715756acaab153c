/**
 * Installs npm's package into an empty Node project with npm's `webgpu`, and holds its training steps to those of Deno:
 * `deno run -A scripts/npm_smoke.ts`. Needs npm's registry.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { pack } from "./npm.ts";
import { checkFlags } from "./_usage.ts";

const STEPS = fromFileUrl(new URL("_npm_steps.mjs", import.meta.url));

async function output(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot run ${command} ${args.join(" ")}: ${text(stderr) || text(stdout)}`);
  return text(stdout).trim();
}

checkFlags("Usage: deno run -A scripts/npm_smoke.ts");
const folder = await Deno.makeTempDir();
try {
  await pack(join(folder, "uniformity.tgz"));
  await output("npm", ["init", "--yes"], folder);
  await output("npm", ["install", "--no-audit", "--no-fund", "./uniformity.tgz", "webgpu@^0.6"], folder);
  await Deno.copyFile(STEPS, join(folder, "steps.mjs"));
  const node = await output("node", ["steps.mjs"], folder);
  const deno = await output(Deno.execPath(), ["run", "-A", STEPS], Deno.cwd());
  console.log(`Node ${node}\nDeno ${deno}`);
  const [a, b] = [JSON.parse(node), JSON.parse(deno)] as [number[], number[]];
  const far = a.some((loss, i) => !(Math.abs(loss - b[i]!) <= 1e-5 * Math.abs(b[i]!)));
  if (a.length === 0 || a.length !== b.length || far) throw new Error("Cannot accept the package as its losses differ");
} finally {
  await Deno.remove(folder, { recursive: true });
}
