import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { type Arm, type ArmScores, shuffledRows } from "../../examples/_compare/arms.ts";
import { linearProbe } from "../../examples/_compare/linear_probe.ts";
import { comparePage, HEADER, markdown, resultRows, type RunResult } from "../../examples/_compare/results.ts";
import { plusMinus, spread } from "../../examples/_compare/statistics.ts";
import { formula } from "../fixtures/formula.ts";

await Device.open();

Deno.test("spread() is the mean and the sample deviation", () => {
  assertEquals(spread([1, 3]), { mean: 2, deviation: Math.SQRT2 });
  assertEquals(spread([5]), { mean: 5, deviation: 0 });
  assertEquals(plusMinus([0.1, 0.3]), "0.200 ± 0.141");
  assertEquals([plusMinus([0.1, 0.1], true), plusMinus([-0.1, -0.1], true)], ["+0.100 ± 0.000", "-0.100 ± 0.000"]);
});

Deno.test("shuffledRows() gives the same rows to other images, another way for another seed", () => {
  const prior = { data: Float32Array.from({ length: 40 }, (_, i) => i), dim: 2 };
  const [one, two] = [shuffledRows(prior, 0), shuffledRows(prior, 1)];
  assertEquals(one.data.toSorted(), prior.data);
  for (let i = 0; i < 40; i += 2) assertEquals(one.data[i + 1], one.data[i]! + 1, "a row stays together");
  assert(one.data.some((v, i) => v !== prior.data[i]) && one.data.some((v, i) => v !== two.data[i]));
  assertEquals(shuffledRows(prior, 0).data, one.data);
});

Deno.test("linearProbe() finds classes that a plane separates, and nothing in noise", async () => {
  const labels = Int32Array.from({ length: 60 }, (_, i) => i % 3);
  const noise = formula("probe", [60, 8], { scale: 0.3 });
  const data = noise.map((v, i) => v + Number(i % 8 === labels[Math.floor(i / 8)]!) + 5);
  const [own] = await linearProbe({ data, dim: 8 }, labels, [{ data, dim: 8 }]);
  assertEquals(own, labels);
  const other = formula("other", [60, 8]);
  const [blind] = await linearProbe({ data: noise, dim: 8 }, labels, [{ data: other, dim: 8 }]);
  assert(labels.filter((label, i) => label === blind![i]).length < 40);
});

function result(arm: Arm, seed: number, value: number): RunResult {
  const keys = ["top1", "top5", "category", "subcategory", "linearCategory", "linearSubcategory"];
  return { arm, seed, scores: Object.fromEntries(keys.map((key) => [key, value])) as unknown as ArmScores };
}

const RESULTS = [
  result("no prior", 0, 0.2),
  result("prior", 0, 0.3),
  result("shuffled prior", 0, 0.1),
  result("no prior", 1, 0.4),
  result("prior", 1, 0.5),
];

Deno.test("resultRows() has the arms, and differences of runs with the same seed", () => {
  const rows = resultRows(RESULTS);
  assertEquals(rows.map(([name, value]) => [name, value]), [
    ["no prior", "0.300 ± 0.141"],
    ["prior", "0.400 ± 0.141"],
    ["shuffled prior", "0.100 ± 0.000"],
    ["prior − no prior", "+0.100 ± 0.000"],
    ["prior − shuffled prior", "+0.200 ± 0.000"],
  ]);
  assert(rows.every((row) => row.length === HEADER.length));
  assertEquals(markdown(RESULTS).split("\n").length, 7);
});

Deno.test("comparePage() draws means with bars", async () => {
  const page = await comparePage(RESULTS, "facts");
  assertStringIncludes(page, "Does the prior help?");
  assertStringIncludes(page, "0.400 ± 0.141");
  const svg = page.slice(page.indexOf("<svg"), page.indexOf("</svg>"));
  const bars = [...svg.matchAll(/<line stroke="#\w+" y2="([\d.]+)" y1="([\d.]+)"/g)].map(([, high, low]) =>
    Number(low) - Number(high)
  );
  assertEquals(bars.length, 18, "three arms, six measures");
  assertAlmostEquals(bars[0]!, bars[1]!, 0.01, "the same deviation");
  assert(bars[0]! > 10);
  assertAlmostEquals(bars[2]!, 0, 1e-6, "one seed");
  assertEquals([...svg.matchAll(/<circle/g)].length, 18 + 5 * 6);
});

Deno.test("compare_priors.ts does not mix results of other settings, and reports what is there", async () => {
  const folder = await Deno.makeTempDir();
  const settings = { epochs: 10, width: 16, batch_size: 256, lr: 0.3, sigma: 1 };
  const arms = ["untrained", "no prior", "prior", "shuffled prior"] as const;
  const results = [0, 1].flatMap((seed) => arms.map((arm) => result(arm, seed, 0.25)));
  await Deno.writeTextFile(join(folder, "results.json"), JSON.stringify({ settings, results }));
  const run = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "examples/compare_priors.ts", "--save_dir", folder, "--seeds", "2", ...args],
    });
    const { code, stdout, stderr } = await command.output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const done = await run();
  assertEquals(done.code, 0, done.err);
  assertMatch(done.out, /\| prior \| 0\.250 ± 0\.000 \|/);
  assertStringIncludes(await Deno.readTextFile(join(folder, "report.html")), "2 seeds");
  const { code, err } = await run("--width", "8");
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot go on with "${join(folder, "results.json")}" as its settings were others: got`);
  await Deno.remove(folder, { recursive: true });
});
