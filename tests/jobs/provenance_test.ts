import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { commitOf, provenance } from "../../src/jobs/mod.ts";
import { withFolder } from "../data/_helpers.ts";

const PLACE = "src/jobs/";

async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  const { success, stdout } = await new Deno.Command("git", { args: ["-C", folder, ...who, ...args] }).output();
  assert(success, args.join(" "));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("commitOf() names the commit of a clone, marks changed files, and knows no clone inside other repositories", async () => {
  await withFolder(async (folder) => {
    const inside = `${folder}/${PLACE}`;
    await Deno.mkdir(inside, { recursive: true });
    assertEquals(await commitOf(inside, PLACE), null);
    await git(folder, "init", "--quiet");
    assertEquals(await commitOf(inside, PLACE), null, "a repository without a commit");
    await Deno.writeTextFile(`${inside}a.ts`, "1");
    await git(folder, "add", "-A");
    await git(folder, "commit", "--quiet", "-m", "a");
    const commit = await git(folder, "rev-parse", "--short", "HEAD");
    assertEquals(await commitOf(inside, PLACE), commit);
    await Deno.writeTextFile(`${inside}b.ts`, "not of the commit, and not of git");
    assertEquals(await commitOf(inside, PLACE), commit);
    await Deno.writeTextFile(`${inside}a.ts`, "2");
    assertEquals(await commitOf(inside, PLACE), `${commit}+`);
    assertEquals(await commitOf(inside, "node_modules/uniformity/src/jobs/"), null);
    assertEquals(await commitOf(folder, PLACE), null);
  });
});

Deno.test("provenance() has the version and the time, and a commit where it can be told", async () => {
  const { version, date, commit = "0000000" } = await provenance();
  assertEquals(version, config.version);
  assertMatch(commit, /^[0-9a-f]{7,40}\+?$/);
  assert(Math.abs(Date.now() - Date.parse(date)) < 60_000, date);
});

Deno.test({
  name: "provenance() has no commit, and asks for nothing, where running git is not allowed",
  permissions: { run: false },
  fn: async () => assertEquals(Object.keys(await provenance()), ["version", "date"]),
});
