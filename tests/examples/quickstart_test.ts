import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { chance } from "../../examples/_quickstart/evaluate.ts";
import { loadQuickstart } from "../../examples/_quickstart/data.ts";

const SMALL = ["--epochs", "1", "--width", "2", "--batch_size", "512"];

function quickstart(dir: string, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "examples/quickstart.ts", ...args, "--save_dir", dir],
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test("the quickstart learns, scores and writes a report", async () => {
  const dir = await Deno.makeTempDir();
  const { code, stdout, stderr } = await quickstart(dir, ...SMALL).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertStringIncludes(text, "keyword prior, σ = 1");
  assertStringIncludes(text, "This run is short");
  const { results } = JSON.parse(await Deno.readTextFile(join(dir, "results.json")));
  assertEquals(results.map(({ name }: { name: string }) => name), [
    "chance",
    "untrained",
    "no prior",
    "keyword prior, σ = 1",
  ]);
  const [blind, untrained] = results.map(({ scores }: { scores: Record<string, number> }) => scores);
  assert(untrained.top1 > 5 * blind.top1, "even an untrained encoder beats chance");
  const report = await Deno.readTextFile(join(dir, "report.html"));
  assertStringIncludes(report, "Nearest in the other drawing");
  assert(!/(src|href)="https?:/.test(report), "the report asks for nothing over the network");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("Ctrl-C leaves what was learnt and says where", async () => {
  const dir = await Deno.makeTempDir();
  const child = quickstart(dir, "--epochs", "500", "--width", "2", "--batch_size", "512").spawn();
  const decoder = new TextDecoder();
  let stderr = "";
  let sent = false;
  for await (const chunk of child.stderr) {
    stderr += decoder.decode(chunk);
    if (!sent && stderr.includes("no prior ")) {
      child.kill("SIGINT");
      sent = true;
    }
  }
  const { code } = await child.status;
  await child.stdout.cancel();
  assertEquals(code, 130);
  assertStringIncludes(stderr, `Stopped: what was learnt so far is in ${dir}/no_prior.safetensors`);
  assert((await Deno.stat(join(dir, "no_prior.safetensors"))).size > 1000);
  assertStringIncludes(await Deno.readTextFile(join(dir, "report.html")), "stopped early by Ctrl-C");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a wrong flag ends the quickstart with status 2 and one line", async () => {
  const { code, stderr } = await quickstart("unused", "--epoch", "3").output();
  assertEquals(code, 2);
  assertEquals(
    new TextDecoder().decode(stderr),
    "error: Cannot read --epoch as there is no such flag: did you mean --epochs? (--help lists all)\n",
  );
});

Deno.test("loadQuickstart() holds the same 381 emoji out in both drawings", async () => {
  await using _device = await Device.open();
  const data = await loadQuickstart();
  assertEquals([data.train.length, data.names.length], [3050, 381]);
  assertEquals(data.train.prior.dim, 503);
  assertEquals(data.train.prior.data.length, 3050 * 503);
  assertEquals([data.names[0], data.names[380]], [(await loadQuickstart()).names[0], data.names[380]]);
  const half = data.train.labels.subarray(0, 1525);
  assertEquals(half, data.train.labels.subarray(1525));
  assert(chance(data).category > 0.05 && chance(data).category < 0.5);
});
