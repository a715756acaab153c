import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { writeDemo } from "../../src/data/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { documented, ROOT } from "./_permissions.ts";
import { smallRun } from "./_run.ts";

async function run(permissions: readonly string[], name: string, args: readonly string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, join(ROOT, "examples", `${name}.ts`), ...args],
    env: { NO_COLOR: "1", TUNE: "0" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the documented permissions are all that training and evaluating need", async () => {
  await withFolder(async (folder) => {
    const [photos, runs] = [`${folder}/photos`, `${folder}/runs`];
    await writeDemo("custom", photos, { train: 36, test: 18 });
    const permissions = await documented([photos], runs);
    const small = ["--resolution", "32", "--epochs", "1", "--limit", "24"];
    const trained = await run(permissions, "custom", [...smallRun(photos, `${runs}/a`), ...small]);
    assertEquals(trained.code, 0, trained.stderr);
    const args = ["--db", "custom", "--root", photos, "--pretrained", `${runs}/a/encoder.safetensors`];
    const evaluated = await run(permissions, "linear_eval", [...args, "--save_dir", `${runs}/b`, "--no-maps"]);
    assertEquals(evaluated.code, 0, evaluated.stderr);
    const elsewhere = await run(permissions, "custom", [...smallRun(photos, `${folder}/elsewhere`), ...small]);
    assertEquals(elsewhere.code, 1);
    assert(elsewhere.stderr.includes("elsewhere"), elsewhere.stderr);
  });
});

Deno.test("a program without any permission says what it lacks in one line", async () => {
  const { code, stderr } = await run([], "cifar10", []);
  assertEquals(code, 1);
  const lines = stderr.trim().split("\n").filter((line) => line !== "");
  assertEquals(lines.length, 1, stderr);
  assert(/^error: Requires (env|sys|read) access/.test(lines[0]!), stderr);
});
