/**
 * Installs npm's package into an empty Node project with npm's `webgpu`, and holds its training steps to those of Deno,
 * the README's program for Node to the losses that it names, and the types to what TypeScript accepts:
 * `deno run -A scripts/npm_smoke.ts`. Needs npm's registry.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { pack } from "./npm.ts";
import { checkFlags } from "./_usage.ts";

const STEPS = fromFileUrl(new URL("_npm_steps.mjs", import.meta.url));
const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

async function output(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot run ${command} ${args.join(" ")}: ${text(stderr) || text(stdout)}`);
  return text(stdout).trim();
}

/** The README's one program in a language: "ts" for Deno, "js ignore" for Node. */
function readmeProgram(language: string): string {
  const found = [...README.matchAll(/^```(.*)\n([^]*?)^```$/gm)].filter((block) => block[1] === language);
  const programs = found.map((block) => block[2]!).filter((code) => code.includes("@decoupled/uniformity"));
  if (programs.length !== 1) throw new Error(`Cannot find the README's program: got ${programs.length} of ${language}`);
  return programs[0]!;
}

function checkLosses(got: number[], wanted: number[], tolerance: number): void {
  const near = got.every((loss, i) => Math.abs(loss - wanted[i]!) <= tolerance * Math.abs(wanted[i]!));
  if (got.length > 0 && got.length === wanted.length && near) return;
  throw new Error(`Cannot accept the package as its losses differ: got ${got}, wanted ${wanted}`);
}

async function checkSteps(folder: string): Promise<void> {
  await Deno.copyFile(STEPS, join(folder, "steps.mjs"));
  const node = await output("node", ["steps.mjs"], folder);
  const deno = await output(Deno.execPath(), ["run", "-A", STEPS], Deno.cwd());
  console.log(`Node ${node}\nDeno ${deno}`);
  checkLosses(JSON.parse(node), JSON.parse(deno), 1e-5);
}

/** Runs the README's program for Node, and compares what it prints with the numbers of its comment. */
async function checkReadme(folder: string): Promise<void> {
  const program = readmeProgram("js ignore");
  await Deno.writeTextFile(join(folder, "readme.mjs"), program);
  const printed = await output("node", ["readme.mjs"], folder);
  console.log(`README ${printed.replaceAll("\n", " ")}`);
  const named = program.match(/console\.log\(.*\/\/ (.*)$/m)?.[1] ?? "";
  checkLosses(printed.split("\n").map(Number), named.split(", ").map(Number), 1e-3);
}

async function install(folder: string, ...packages: string[]): Promise<void> {
  await output("npm", ["install", "--no-audit", "--no-fund", ...packages], folder);
}

/** Compiles the README's programs: TypeScript 5 takes WebGPU's types from `webgpu`, TypeScript 7 has its own. */
async function checkTypes(folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "node.mts"), readmeProgram("js ignore"));
  await Deno.writeTextFile(join(folder, "deno.mts"), readmeProgram("ts"));
  for (const [version, ...programs] of [["5.9.3", "node.mts", "deno.mts"], ["7.0.2", "deno.mts"]]) {
    await install(folder, `typescript@${version}`);
    await output("npx", ["tsc", "--strict", "--module", "nodenext", "--noEmit", ...programs], folder);
  }
}

checkFlags("Usage: deno run -A scripts/npm_smoke.ts");
const folder = await Deno.makeTempDir();
try {
  await pack(join(folder, "uniformity.tgz"));
  await output("npm", ["init", "--yes"], folder);
  await install(folder, "./uniformity.tgz", "webgpu@^0.6");
  await checkSteps(folder);
  await checkReadme(folder);
  await checkTypes(folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
