// What stands in for @std where JSR answers and where it does not, and that it is not published (docs/portability.md).
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { registry, unreachable } from "./_jsr.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const { exports, imports, publish, workspace } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
const member = JSON.parse(await Deno.readTextFile(join(ROOT, "links/path/deno.json")));

const STATIC = `import { who } from "@std/path"; console.log(who);`;
const CAUGHT = `
  const { who } = await import("@std/path").catch(() => import("./links/path/mod.ts"));
  console.log(who);
`;

/** Runs a program in a project that takes `@std/path` as this one does, but for `changes`; null where Deno refuses it. */
async function who(
  jsr: string,
  program: string,
  changes: { version?: string; members?: string[]; path?: unknown } = {},
) {
  const folder = await Deno.makeTempDir();
  const write = (file: string, text: string) => Deno.writeTextFile(join(folder, file), text);
  try {
    await Deno.mkdir(join(folder, "links/path"), { recursive: true });
    const version = changes.version ?? member.version;
    await write("links/path/deno.json", JSON.stringify({ ...member, version }));
    await write("links/path/mod.ts", `export const who = "links";\n`);
    const map = { "@std/path": changes.path ?? imports["@std/path"] };
    await write("deno.json", JSON.stringify({ imports: map, workspace: changes.members ?? ["./links/path"] }));
    await write("program.ts", program);
    const env = { JSR_URL: jsr, DENO_DIR: join(folder, "cache"), NO_COLOR: "1" };
    const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "program.ts"], cwd: folder, env });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a bare command works where JSR does not answer, as links/ stand in", async () => {
  assert(workspace.includes("./links/path"));
  assertEquals(await who(unreachable(), STATIC), "links");
});

Deno.test("without its members the project takes @std from JSR, and does not start where JSR does not answer", async () => {
  await using jsr = await registry();
  assertEquals(await who(jsr.url, STATIC, { members: [] }), "JSR");
  assertEquals(jsr.asked.at(-1), "/@std/path/1.1.2/mod.ts");
  assertEquals(await who(unreachable(), STATIC, { members: [] }), null);
});

// These hold what Deno offers: when one fails after an update of Deno, links/ may be chosen better than they are.
Deno.test("Deno takes a member whose version fits without asking JSR, and asks only JSR where it does not fit", async () => {
  await using jsr = await registry();
  assertEquals(await who(jsr.url, STATIC), "links");
  assertEquals(jsr.asked, []);
  assertEquals(await who(jsr.url, STATIC, { version: "0.0.0" }), "JSR");
  assertEquals(await who(unreachable(), STATIC, { version: "0.0.0" }), null);
});

Deno.test("Deno takes no second address from an import map", async () => {
  await using jsr = await registry();
  for (const path of [[imports["@std/path"], "./links/path/mod.ts"], "jsr:@std/path@^1.1 || 1.0.0"]) {
    assertEquals(await who(jsr.url, STATIC, { path }), null);
  }
});

Deno.test("only an import that is caught at run time chooses by whether JSR answers", async () => {
  await using jsr = await registry();
  assertEquals(await who(jsr.url, CAUGHT, { members: [] }), "JSR");
  assertEquals(await who(unreachable(), CAUGHT, { members: [] }), "links");
});

/** Runs `scripts/choose_std.ts` in a project as this one, then a program with what was chosen. */
async function chosen(jsr: string): Promise<{ readonly chosen: string; readonly who: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "scripts"));
    await Deno.mkdir(join(folder, "links/path"), { recursive: true });
    await Deno.copyFile(join(ROOT, "scripts/choose_std.ts"), join(folder, "scripts/choose_std.ts"));
    const files = {
      "links/path/deno.json": JSON.stringify(member),
      "links/path/mod.ts": `export const who = "links";\n`,
      "deno.json": JSON.stringify({
        imports: { "@std/path": imports["@std/path"] },
        workspace: ["./links/path"],
        tasks: { program: { command: "deno run -A program.ts" } },
      }),
      "deno.lock": `{ "version": "5" }\n`,
      "program.ts": STATIC,
    };
    for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, file), text);
    const env = { JSR_URL: jsr, DENO_DIR: join(folder, "cache"), NO_COLOR: "1" };
    const run = async (...args: string[]) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, env }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    const found = await run("run", "-A", "--no-config", "scripts/choose_std.ts", "2");
    const config = found === "" ? [] : ["--config", found];
    return { chosen: found, who: await run("task", ...config, "program") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("./dev takes @std from JSR where it answers, and links/ where it does not, or never ends", async () => {
  await using jsr = await registry();
  assertEquals(await chosen(jsr.url), { chosen: "deno.jsr.json", who: "JSR" });
  assertEquals(await chosen(unreachable()), { chosen: "", who: "links" });
  using silent = Deno.listen({ port: 0, hostname: "127.0.0.1" }); // takes connections, and never answers
  assertEquals(await chosen(`http://127.0.0.1:${silent.addr.port}/`), { chosen: "", who: "links" });
});

Deno.test("nothing that the package exports reaches links/ or JSR, and links/ are not published", async () => {
  assertEquals(publish.include.filter((part: string) => "links/".startsWith(part)), []);
  for (const path of workspace.filter((path: string) => path.startsWith("./links/"))) {
    assertEquals(JSON.parse(await Deno.readTextFile(join(ROOT, path, "deno.json"))).publish, false, path);
  }
  const entries = Object.values<string>(exports).map((path) =>
    `import "${new URL(path, new URL("../../", import.meta.url))}";`
  );
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, entries.join("\n"));
  const args = ["info", "--json", "--config", join(ROOT, "deno.json"), file];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  await Deno.remove(file);
  const modules: { specifier: string }[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
  assertEquals(modules.filter(({ specifier }) => /\/links\/|^jsr:|@std\//.test(specifier)), []);
  assertMatch(modules.map(({ specifier }) => specifier).join("\n"), /\/src\/jobs\/mod\.ts/);
});
