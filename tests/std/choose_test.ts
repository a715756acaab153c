// Where @std comes from where JSR answers and where it does not, and that neither is published (docs/portability.md).
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { sources } from "../_sources.ts";
import { registry, registryOf, unreachable } from "./_registry.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const { exports, imports, publish } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
/** What the project imports of `@std`, and the module of each. */
const STD = Object.entries<string>(imports).filter(([name]) => name.startsWith("@std/"));

/** The specifier on JSR that a module of std/ asks for, and the names that it exports. */
async function chosenBy(module: string): Promise<{ readonly specifier: string; readonly names: string[] }> {
  const text = await Deno.readTextFile(join(ROOT, module));
  const names = [...text.matchAll(/^export const (\w+): typeof std\.\1 = std\.\1;$/gm)].map(([, name]) => name!);
  return { specifier: text.match(/fromJsr\("(jsr:@std\/.+)", /)![1]!, names };
}

/** Packages whose every export that the project asks for is the text "JSR". */
async function packages(): Promise<Record<string, Record<string, string>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const [, module] of STD) {
    const { specifier, names } = await chosenBy(module);
    const [, name, entry = ""] = specifier.match(/^jsr:@std\/(\w+)@\^1(\/.+)?$/)!;
    (found[name!] ??= {})[`.${entry}`] = names.map((each) => `export const ${each} = "JSR";\n`).join("");
  }
  return found;
}

/** A program that imports these, and prints where all that they export comes from. */
function programOf(std: typeof STD): string {
  return `
    ${std.map(([name], i) => `import * as m${i} from "${name}";`).join("\n")}
    const found = [${std.map((_, i) => `m${i}`)}].flatMap((module) => Object.values(module));
    console.log([...new Set(found.map((each) => each === "JSR" ? "JSR" : "stand-in"))].join());
  `;
}
const ALL = programOf(STD);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Project {
  /** The files of std/ but for what stands in. */
  readonly withoutStandIns?: boolean;
  readonly flags?: string[];
  readonly lock?: string;
}

/** The environment of a user whose JSR is at `jsr`. */
function environment(jsr: string, folder: string): Record<string, string> {
  return { JSR_URL: jsr, DENO_DIR: join(folder, "cache"), NO_COLOR: "1", UNIFORMITY_STD: "" };
}

/** A folder with std/ as it is here, the imports of deno.json, and a program. */
async function project(program: string, { withoutStandIns, lock }: Project): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const part of ["std", "std/stand_ins", "std/stand_ins/assert"]) {
    if (withoutStandIns && part !== "std") continue;
    await Deno.mkdir(join(folder, part));
    for await (const { name, isFile } of Deno.readDir(join(ROOT, part))) {
      if (isFile) await Deno.copyFile(join(ROOT, part, name), join(folder, part, name));
    }
  }
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ imports: Object.fromEntries(STD) }));
  if (lock !== undefined) await Deno.writeTextFile(join(folder, "deno.lock"), lock);
  await Deno.writeTextFile(join(folder, "program.ts"), program);
  return folder;
}

async function ran(jsr: string, program: string, options: Project = {}): Promise<Ran> {
  const folder = await project(program, options);
  try {
    const args = ["run", "--quiet", ...options.flags ?? ["-A"], "program.ts"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: folder, env: environment(jsr, folder) });
    const { code, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("where JSR answers, all of @std is JSR's, and what stands in is not even loaded", async () => {
  await using jsr = registry(await packages());
  for (const flags of [["-A"], ["--no-prompt"]]) {
    assertEquals(await ran(jsr.url, ALL, { withoutStandIns: true, flags }), { code: 0, stdout: "JSR", stderr: "" });
  }
  for (const name of ["assert", "cli", "expect", "path", "testing"]) {
    assert(jsr.asked.includes(`/@std/${name}/meta.json`));
  }
});

/** Without `@std/expect`, whose stand-in is npm's. */
const OFFLINE = programOf(STD.filter(([name]) => name !== "@std/expect"));

Deno.test("where JSR does not answer, what stands in for @std is taken", async () => {
  for (const flags of [["-A"], ["--no-prompt", "--allow-read"]]) {
    assertEquals(await ran(unreachable(), OFFLINE, { flags }), { code: 0, stdout: "stand-in", stderr: "" });
  }
  for (const answer of [[403, ""], [404, ""], [500, ""], [200, "<html>log in"], [200, '{"scope":']] as const) {
    await using jsr = registryOf(() => new Response(answer[1], { status: answer[0] }));
    for (const flags of [["-A"], ["--no-prompt"]]) {
      assertEquals(await ran(jsr.url, OFFLINE, { flags }), { code: 0, stdout: "stand-in", stderr: "" }, answer.join());
    }
  }
  await using part = registry({ assert: { ".": "export {" } }); // a module that is none
  assertEquals((await ran(part.url, OFFLINE)).stdout, "stand-in");
});

Deno.test("a JSR that does not answer is asked once by a program and those that it starts", async () => {
  await using jsr = registryOf(() => new Response(null, { status: 403 }));
  const program = `${OFFLINE}
    if (Deno.args.length === 0) {
      const args = ["run", "-A", "--quiet", "program.ts", "child"];
      await new Deno.Command(Deno.execPath(), { args, stdout: "inherit" }).output();
    }`;
  assertEquals((await ran(jsr.url, program)).stdout, "stand-in\nstand-in");
  assertEquals(jsr.asked, ["/@std/assert/meta.json"]);
  await using right = registry(await packages());
  assertEquals((await ran(right.url, program.replaceAll("stand-in", "other"))).stdout, "JSR\nJSR");
});

Deno.test("a JSR that takes the connection and never answers is waited for 5 s, and holds nothing up after", async () => {
  using silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const later = `await import("data:text/javascript,console.log('later')".replace("", ""));`;
  const started = performance.now();
  const outcome = await ran(`http://127.0.0.1:${silent.addr.port}/`, OFFLINE + later);
  assertEquals(outcome, { code: 0, stdout: "stand-in\nlater", stderr: "" });
  assertLess(performance.now() - started, 20_000);
});

Deno.test("other errors than no answer are told, and nothing stands in", async () => {
  await using jsr = registry(await packages());
  const locked = await ran(jsr.url, ALL, { flags: ["-A", "--frozen"], lock: `{ "version": "5" }\n` });
  assertEquals([locked.code, locked.stdout], [1, ""]);
  assertStringIncludes(locked.stderr, "The lockfile is out of date");
  const other = {
    version: "5",
    specifiers: { "jsr:@std/assert@1": "1.9.9" },
    jsr: { "@std/assert@1.9.9": { integrity: "0".repeat(64) } },
  };
  const changed = await ran(jsr.url, ALL, { lock: JSON.stringify(other) });
  assert(changed.code !== 0);
  assertStringIncludes(changed.stderr, "Integrity check failed");
});

Deno.test("nothing stands in that nobody uses", async () => {
  const files = await Promise.all(["src", "examples", "scripts", "bench", "tests"].map((folder) => sources(folder)));
  const used = new Set<string>();
  for (const [, text] of files.flat()) {
    for (const [, names, from] of text.matchAll(/import \{([^}]*)\} from "(@std\/[^"]+)";/g)) {
      for (const name of names!.split(",")) used.add(`${from} ${name.trim()}`);
    }
  }
  for (const [from, module] of STD) {
    const { names } = await chosenBy(module);
    const aliases = STD.filter(([, other]) => other === module).map(([alias]) => alias);
    assertEquals(names.filter((name) => !aliases.some((alias) => used.has(`${alias} ${name}`))), [], from);
  }
});

Deno.test("deno.lock pins what is asked of JSR", async () => {
  const { specifiers, jsr } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.lock")));
  for (const [, module] of STD) {
    const name = (await chosenBy(module)).specifier.match(/^jsr:(@std\/\w+)@\^1/)![1];
    assertMatch(jsr[`${name}@${specifiers[`jsr:${name}@1`]}`]?.integrity ?? "", /^[0-9a-f]{64}$/, name);
  }
});

/** A bare command as in the README, by a user whose JSR is at `jsr`. */
async function bare(jsr: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--quiet", "examples/cifar10.ts", "--help"],
    cwd: ROOT,
    env: { JSR_URL: jsr, UNIFORMITY_STD: "", NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("a bare command takes its flags from JSR where it answers, and works where it does not", async () => {
  const source = `export const parseArgs = () => (console.log("JSR's"), { help: true, _: [] });`;
  await using jsr = registry({ cli: { "./parse-args": source } });
  assertMatch(await bare(jsr.url), /^JSR's\n[^]*CIFAR-10/);
  assert(jsr.asked.includes("/@std/cli/1.9.9/0.ts"));
  assertMatch(await bare(unreachable()), /^(?!JSR's)[^]*CIFAR-10/);
});

Deno.test("nothing that the package exports reaches std/ or JSR, and neither std/ nor what needs it is published", async () => {
  assertEquals(publish.include.filter((part: string) => /^(\.\/?)?(std|\*|$)/.test(part)), []);
  assertEquals(publish.exclude, ["src/cli/"]);
  const entries = Object.values<string>(exports).map((path) =>
    `import "${new URL(path, new URL("../../", import.meta.url))}";`
  );
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, entries.join("\n"));
  const args = ["info", "--json", "--config", join(ROOT, "deno.json"), file];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  await Deno.remove(file);
  const modules: { specifier: string }[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
  const found = modules.map(({ specifier }) => specifier.replace(new URL("../../", import.meta.url).href, ""));
  assertEquals(found.filter((path) => /^(std|src\/cli)\/|^jsr:|@std\//.test(path)), []);
  assert(found.includes("src/jobs/mod.ts"));
});
