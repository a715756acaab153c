import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { ARM_MEASURES, type ArmMeasure, type ArmSet, armsOf } from "../../examples/_compare/arms.ts";
import { parseCompareMethods } from "../../examples/_compare/flags.ts";
import { METHODS } from "../../src/methods/mod.ts";
import { linearProbe } from "../../examples/_compare/linear_probe.ts";
import { markName, openingMark, type TableSource, withTable } from "../../examples/_compare/readme.ts";
import { comparePage, differenceTable, markdown, meanTable, type RunResult } from "../../examples/_compare/results.ts";
import type { QueryScores } from "../../examples/_quickstart/evaluate.ts";
import { RECIPE, recipeDigest } from "../../examples/_quickstart/recipe.ts";
import { shuffledRows } from "../../examples/_quickstart/train.ts";
import { formula } from "../fixtures/formula.ts";
import { documentedWithNpm } from "./_permissions.ts";

await Device.open();

Deno.test("shuffledRows() gives a share of the rows to other images, another way for another seed", () => {
  const prior = { data: Float32Array.from({ length: 80 }, (_, i) => i), dim: 2 };
  const [one, two, half] = [shuffledRows(prior, 0), shuffledRows(prior, 1), shuffledRows(prior, 0, 0.5)];
  const moved = ({ data }: { data: Float32Array }) => data.filter((v, i) => v !== prior.data[i]).length / 2;
  for (const { data } of [one, two, half]) {
    assertEquals(data.toSorted(), prior.data);
    for (let i = 0; i < 80; i += 2) assertEquals(data[i + 1], data[i]! + 1, "a row stays together");
  }
  assert(moved(one) > 30 && one.data.some((v, i) => v !== two.data[i]));
  assert(moved(half) > 10 && moved(half) <= 20, `${moved(half)} of 20`);
  assertEquals(shuffledRows(prior, 0, 0).data, prior.data);
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

/** Twenty queries of ten things in two drawings, the first `hits` of the things found in both. */
function result(arm: string, seed: number, hits: number): RunResult {
  const values = Float64Array.from({ length: 20 }, (_, i) => Number(i % 10 < hits));
  return {
    arm,
    seed,
    scores: Object.fromEntries(ARM_MEASURES.map(([key]) => [key, values])) as QueryScores<ArmMeasure>,
  };
}

const GROUPS = Uint32Array.from({ length: 20 }, (_, i) => i % 10);

const RESULTS = [
  result("no prior", 0, 2),
  result("prior", 0, 7),
  result("shuffled prior", 0, 9),
  result("no prior", 1, 3),
  result("prior", 1, 8),
];

Deno.test("the tables have the arms, and differences of runs with the same seed, with what follows from them", () => {
  const means = meanTable(RESULTS);
  assertEquals(means.rows.map(([name, value]) => [name, value]), [
    ["no prior", "0.250 ± .071"],
    ["prior", "0.750 ± .071"],
    ["shuffled prior", "0.900"],
  ]);
  assert(means.rows.every((row) => row.length === means.header.length));
  const { header, rows } = differenceTable(RESULTS, GROUPS);
  assertEquals(header.slice(1), ["prior − no prior", "prior − shuffled prior", "shuffled prior − no prior"]);
  assertEquals(rows.map(([title]) => title), ARM_MEASURES.map(([, title]) => title));
  const [, first, second, third] = rows[0]!;
  assertEquals(first!.replace(/\[.*\]/, "[]"), "+0.500 [] better");
  // Two things of ten differ: a draw has none of them with probability 0.8^10 = 0.11.
  assertMatch(second!, /^−0\.200 \[−0\.[45]00, \+0\.000\] not told apart$/);
  assertMatch(third!, /^\+0\.700 \[\+0\.[345]00, \+[01]\.[09]00\] better$/);
  assertEquals(markdown(RESULTS, GROUPS).split("\n").length, 5 + 1 + 9);
});

Deno.test("the prior is compared with methods that take none, and methods with a prior with no prior and the shuffled one", () => {
  const arms = ["no prior", "prior", "shuffled prior", "simclr", "prior, yaware"];
  const results = arms.map((arm): RunResult => ({ ...RESULTS[0]!, arm, seed: 0 }));
  const { header } = differenceTable(results, GROUPS);
  assertEquals(header.slice(4), [
    "prior − simclr",
    "prior, yaware − no prior",
    "prior, yaware − shuffled prior",
  ]);
});

Deno.test("a prior is compared with what has its batch, weights or kernel, and else with the main arms", () => {
  const names = (set: ArmSet) =>
    armsOf(RECIPE, set).map((arm): RunResult => ({ ...RESULTS[0]!, arm: arm.name, seed: 0 }));
  const pairs = (set: ArmSet) => differenceTable(names(set), GROUPS).header.slice(4);
  assertEquals(pairs("batch"), ["prior, batch 64 − no prior, batch 64", "prior, batch 512 − no prior, batch 512"]);
  assertEquals(pairs("image"), [
    "prior, image encoder − no prior",
    "prior, image encoder − shuffled prior, image encoder",
    "shuffled prior, image encoder − no prior",
  ]);
  const rows = markdown(names("init"), GROUPS).split("\n\n")[1]!.split("\n");
  assertMatch(rows[0]!, /^\| difference \[95 % interval\] \| category, 1-NN \|/);
  const pairsOfInit = rows.map((row) => row.split(" | ")[0]!.replaceAll(", torchvision weights", ""));
  assertEquals(pairsOfInit.slice(-4), [
    "| shuffled prior − no prior",
    "| prior, six times the rate − no prior, six times the rate",
    "| prior, six times the rate − shuffled prior, six times the rate",
    "| shuffled prior, six times the rate − no prior, six times the rate",
  ]);
});

Deno.test("compare_methods.ts has an arm for every method, and writes the leaderboard", () => {
  const flags = parseCompareMethods(["--seeds", "2"])!;
  assertEquals([flags.arms, flags.readme, flags.seeds, flags.save_dir], ["methods", false, 2, "runs/compare_methods"]);
  const methods = armsOf(RECIPE, "methods").map(({ method = "decoupled_uniformity" }) => method);
  assertEquals(new Set(methods), new Set(Object.keys(METHODS) as typeof methods));
  assertEquals(markName("methods"), "leaderboard");
});

Deno.test("comparePage() draws means with bars", async () => {
  const chance = Object.fromEntries(ARM_MEASURES.map(([key]) => [key, 0.125])) as Record<ArmMeasure, number>;
  const page = await comparePage(RESULTS, GROUPS, { facts: "facts", chance });
  assertEquals(page.split(">0.125</td>").length - 1, 7, "what a blind guess would score");
  assertStringIncludes(page, "Does the prior help?");
  assertStringIncludes(page, "0.750 ± .071");
  const svg = page.slice(page.indexOf("<svg"), page.indexOf("</svg>"));
  const bars = [...svg.matchAll(/<line stroke="#\w+"[^>]* x2="([\d.]+)" x1="([\d.]+)"/g)].map(([, high, low]) =>
    Number(high) - Number(low)
  );
  assertEquals(bars.length, 21, "three arms, seven measures");
  assertAlmostEquals(bars[0]!, bars[1]!, 0.01, "the same deviation");
  assert(bars[0]! > 10);
  assertAlmostEquals(bars[2]!, 0, 1e-6, "one seed");
  assertEquals([...svg.matchAll(/<circle/g)].length, 21 + 5 * 7);
});

Deno.test("armsOf() has the main arms in every set, and names that are files of their own", () => {
  for (const set of ["main", "kernels", "ridge", "shuffled", "batch", "image", "init"] as const) {
    const names = armsOf(RECIPE, set).map(({ name }) => name);
    assertEquals(names.slice(0, 4), ["untrained", "no prior", "prior", "shuffled prior"]);
    assertEquals(new Set(names.map((name) => name.replaceAll(/[^a-z0-9.]+/gi, "_"))).size, names.length);
  }
});

Deno.test("withTable() replaces what is between the marks, and nothing without them", async () => {
  const source = {
    recipe: RECIPE,
    facts: "",
    commit: "abc1234",
    date: "2026-11-28",
    device: "a $& b",
    seeds: 5,
    on: "test",
  };
  const opening = await openingMark(source satisfies TableSource);
  const page = "before\n\n<!-- compare_priors recipe=0 -->\nold\n<!-- /compare_priors -->\n\nafter";
  const now = withTable(page, opening, "| $1 |");
  assertEquals(now, `before\n\n${opening}\n\n| $1 |\n\n<!-- /compare_priors -->\n\nafter`);
  assertEquals(withTable(now!, opening, "| $1 |"), now);
  assertEquals(withTable("nothing", opening, ""), null);
});

Deno.test("every table of docs/results.md was made with the committed recipe", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/results.md", import.meta.url));
  const marks = [...page.matchAll(/<!-- (\w+) recipe=(\w+) commit=.+ on=(\w+) device=".+" -->/g)];
  assertEquals(marks.map(([, name]) => name).slice(0, 2), ["compare_priors", "kernels"]);
  for (const [, name, digest, on] of marks) {
    assertEquals([digest, on], [
      await recipeDigest(RECIPE),
      /compare_priors|leaderboard/.test(name!) ? "test" : "validation",
    ], name);
  }
});

for (const path of ["README.md", "docs/results.md"]) {
  Deno.test(`the table of ${path} was made with the committed recipe`, async () => {
    const page = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
    const mark = page.match(
      /<!-- compare_priors recipe=(\w+) commit=(\S+) date=[\d-]+ seeds=(\d+) on=(\w+) device=".+" -->/,
    );
    assert(mark, "marks of the table");
    const [, digest, , seeds, on] = mark;
    assertEquals(digest, await recipeDigest(RECIPE), "deno run -A examples/compare_priors.ts --readme");
    assert(Number(seeds) >= 5 && on === "test");
  });
}

Deno.test("recipeDigest() is another for another recipe, and the same for another order", async () => {
  const digest = await recipeDigest(RECIPE);
  assertMatch(digest, /^[0-9a-f]{12}$/);
  assertEquals(
    await recipeDigest(Object.fromEntries(Object.entries(RECIPE).reverse()) as unknown as typeof RECIPE),
    digest,
  );
  for (const key of Object.keys(RECIPE) as (keyof typeof RECIPE)[]) {
    assert(await recipeDigest({ ...RECIPE, [key]: 77 }) !== digest, key);
  }
});

Deno.test("compare_priors.ts does not mix results of other settings, and reports what is there", async () => {
  const folder = await Deno.makeTempDir();
  const scores = Object.fromEntries(
    ARM_MEASURES.map(([key]) => [key, Array.from({ length: 762 }, (_, i) => i % 4 ? 0 : 1)]),
  );
  for (const arm of armsOf(RECIPE, "main")) {
    const settings = { recipe: RECIPE, arm, seed: 3, on: "test" };
    const run = { settings, commit: "abc1234", device: "none", date: "2026-11-28", seconds: 60, scores };
    await Deno.writeTextFile(join(folder, `${arm.name.replace(" ", "_")}-3.json`), JSON.stringify(run));
  }
  const permissions = await documentedWithNpm();
  const run = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        ...permissions,
        "examples/compare_priors.ts",
        "--save_dir",
        folder,
        "--first_seed",
        "3",
        "--seeds",
        "1",
        ...args,
      ],
    });
    const { code, stdout, stderr } = await command.output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const done = await run();
  assertEquals(done.code, 0, done.err);
  assertMatch(done.out, /\| prior \| 0\.251 \|/); // 191 of 762
  assertStringIncludes(done.out, "| same emoji, top-1 | +0.000 [+0.000, +0.000] not told apart |");
  assertStringIncludes(await Deno.readTextFile(join(folder, "report.html")), "seed 3; 381 emoji; 4 min");
  const { code, err } = await run("--width", "8");
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot go on with "${join(folder, "untrained-3.json")}" as its settings were others: got`);
  await Deno.writeTextFile(join(folder, "untrained-3.json"), "{}");
  assertStringIncludes((await run()).err, `untrained-3.json" as it must hold the scores of a run: got others`);
  await Deno.remove(folder, { recursive: true });
});
