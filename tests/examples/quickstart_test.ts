import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { chance, means, queryGroups, score } from "../../examples/_quickstart/evaluate.ts";
import { loadQuickstart, type QuickstartData, splitEmoji } from "../../examples/_quickstart/data.ts";
import { epochsIn, remainingSeconds } from "../../examples/_quickstart/pace.ts";
import { rareWeighMore } from "../../examples/_quickstart/recipe.ts";
import { documentedWithNpm } from "./_permissions.ts";

const SMALL = ["--width", "2", "--batch_size", "128"];

const PERMISSIONS = await documentedWithNpm();

function quickstart(dir: string, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...PERMISSIONS, "examples/quickstart.ts", ...args, "--save_dir", dir],
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test("the quickstart learns, scores and writes a report", async () => {
  const dir = await Deno.makeTempDir();
  const { code, stdout, stderr } = await quickstart(dir, ...SMALL, "--minutes", "0.1").output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertMatch(
    text,
    /Length: 1 epochs fit into 0\.1 minutes\n[^]*Time: about [\d mins]+ to go, by the first \d+ batches\n/,
  );
  assertStringIncludes(text, "This run is shorter than README's table");
  assert(text.indexOf("category, 1-NN") < text.indexOf("same emoji, top-1"), "what words are about comes first");
  const { results, differences } = JSON.parse(await Deno.readTextFile(join(dir, "results.json")));
  assertEquals(results.map(({ name }: { name: string }) => name), [
    "chance",
    "untrained",
    "no prior",
    "keyword prior (cosine-idf)",
  ]);
  assertEquals(Object.keys(differences).length, 5);
  for (const text of Object.values<string>(differences)) {
    const [, low, high, verdict] = text.match(/^\S+ \[(\S+), (\S+)\] (.*)$/)!;
    const [from, to] = [low!, high!].map((each) => Number(each.replace("−", "-")));
    assertEquals(verdict, from! > 0 ? "better" : to! < 0 ? "worse" : "not told apart");
  }
  const [blind, untrained] = results.map(({ scores }: { scores: Record<string, number> }) => scores);
  assert(untrained.top1 > 5 * blind.top1, "even an untrained encoder beats chance");
  const report = await Deno.readTextFile(join(dir, "report.html"));
  assertStringIncludes(report, "Nearest in the other drawing");
  assert(!/(src|href)="https?:/.test(report), "the report asks for nothing over the network");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("Ctrl-C leaves what was learnt and says where", async () => {
  const dir = await Deno.makeTempDir();
  const child = quickstart(dir, "--epochs", "500", ...SMALL).spawn();
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
  assertStringIncludes(await Deno.readTextFile(join(dir, "report.html")), "; stopped early");
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
  assertEquals(data.words.data.length, 381 * 503);
  const blind = chance(data);
  assert(blind.category > 0.05 && blind.category < 0.5);
  assert(blind.keyword > 0.01 && blind.keyword < 0.3, `${blind.keyword}`);
});

Deno.test("splitEmoji() deals every emoji to one part, the same in every run", () => {
  const { train, validation, test } = splitEmoji(1906);
  assertEquals([train.length, validation.length, test.length], [1220, 305, 381]);
  assertEquals(new Set([...train, ...validation, ...test]).size, 1906);
  assertEquals(splitEmoji(1906), { train, validation, test });
});

Deno.test("score() has the right value for each query", () => {
  const eye = (n: number, to: (i: number) => number) => ({
    data: Float32Array.from({ length: n * 12 }, (_, i) => Number(i % 12 === to(Math.floor(i / 12)))),
    dim: 12,
  });
  // Twelve training drawings, one a direction; query i looks as drawing i, or, drawn by the other, as drawing i + 1.
  const words = (rows: number[][]) => ({ data: Float32Array.from(rows.flat()), dim: 2 });
  const data = {
    names: ["a", "b", "c", "d", "e", "f"],
    category: Int32Array.of(0, 0, 0, 1, 1, 1),
    subcategory: Int32Array.of(0, 1, 2, 3, 4, 5),
    words: words([[1, 0], [0, 1], [0, 0], [1, 1], [1, 0], [1, 0]]),
    train: {
      length: 12,
      labels: Int32Array.of(0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0),
      prior: words(Array.from({ length: 12 }, (_, i) => i < 6 ? [1, 0] : [0, 1])),
    },
    trainSubcategory: Int32Array.from({ length: 12 }, (_, i) => i),
  } as unknown as QuickstartData;
  const encoded = { trained: eye(12, (i) => i), twitter: eye(6, (i) => i), google: eye(6, (i) => i + 1) };
  const { scores } = score(encoded, data);
  assertEquals([...scores.category], [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0]);
  assertEquals([...scores.subcategory], [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  assertEquals([...scores.top1], new Array(12).fill(0), "drawing i of one looks as drawing i + 1 of the other");
  assertEquals([scores.keyword[2], scores.keyword[8], scores.keyword[3]], [0, 0, 1], "no word, and both");
  assertAlmostEquals(chance(data).keyword, (0.5 * 4 + 1) / 6, 1e-12);
  assertAlmostEquals(means(scores).category, 10 / 12, 1e-12);
  assertEquals([...queryGroups(data)], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
});

Deno.test("rareWeighMore() weighs a word by the root of the logarithm of its rarity", () => {
  const { data } = rareWeighMore({ data: Float32Array.of(1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0), dim: 3 });
  const rare = Math.fround(Math.sqrt(Math.log(4))); // one image of four; the first word is in all, the last in none
  assertEquals(data, Float32Array.of(0, rare, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
});

Deno.test("the pace gives the time to go, and the epochs that fit into a time", () => {
  const pace = { epoch: 2, step: 6, steps: 12, epochs: 8, runs: 2, images_per_second: 305, samples: 3050 };
  assertAlmostEquals(remainingSeconds(pace), 14.5 * 10 + 25, 1e-9);
  assertEquals([epochsIn(225, 305, 3050), epochsIn(224, 305, 3050), epochsIn(5, 305, 3050)], [10, 9, 1]);
});
