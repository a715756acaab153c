import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { dataArms } from "../../examples/_compare_data/arms.ts";
import { type DataFlags, parseCompareData } from "../../examples/_compare_data/flags.ts";
import { dataMarkdown, dataPage, type DataRun, readScores } from "../../examples/_compare_data/results.ts";
import { ndarray, npzChunks, readNpz, writeWhole } from "../../src/formats/mod.ts";
import { METHODS } from "../../src/methods/mod.ts";
import { withFolder, writeFiles } from "../data/_helpers.ts";
import { runExample, writeSmallCifar } from "./_run.ts";

function flagsOf(...args: string[]): DataFlags {
  return parseCompareData(args)!;
}

Deno.test("dataArms() gives each method the arguments that its program wants, and leaves out what lacks a prior", () => {
  const cub = dataArms(flagsOf("--db", "cub200"));
  assertEquals(cub.length, Object.keys(METHODS).length + 1, "decoupled uniformity twice");
  assertEquals(cub.slice(0, 2), [
    { name: "no prior", args: ["--method", "decoupled_uniformity", "--kernel", "none"] },
    { name: "prior", args: ["--method", "decoupled_uniformity"] },
  ]);
  assertEquals(
    dataArms(flagsOf("--db", "cifar10")).map(({ name }) => name),
    ["no prior", "align_uniform", "simclr", "moco", "byol", "simsiam", "barlow_twins", "vicreg"],
  );
  const given = ["--prior", "p.npz", "--kernel", "rbf", "--sigma", "median", "--methods", "yaware, supcon,simclr"];
  assertEquals(dataArms(flagsOf("--db", "cifar10", ...given)), [
    {
      name: "prior, yaware",
      args: ["--method", "yaware", "--prior", "p.npz", "--kernel", "rbf", "--sigma", "median"],
    },
    { name: "prior, supcon", args: ["--method", "supcon", "--prior", "p.npz"] },
    { name: "simclr", args: ["--method", "simclr"] },
  ]);
});

Deno.test("a method without its prior, or an unknown one, is one clear error", () => {
  assertThrows(
    () => dataArms(flagsOf("--db", "cifar10", "--methods", "simclr,cclk")),
    Error,
    "Cannot compare --methods cclk on cifar10 without a prior: give --prior FILE, and --kernel with its --sigma",
  );
  assertThrows(
    () => flagsOf("--db", "cifar10", "--methods", "simclr,dino"),
    Error,
    'Cannot read --methods as each must be one of decoupled_uniformity, align_uniform, simclr, moco, byol, simsiam, barlow_twins, vicreg, supcon, yaware, cclk, cl_infonce: got "dino"',
  );
});

function runOf(arm: string, seed: number, hits: readonly number[], knn: number): DataRun {
  const scores = { top1: Float64Array.from(hits), balanced: [0.5], auroc: [0.75], knn: [knn] };
  const of = (values: ArrayLike<number>) => Float64Array.from(values);
  return {
    arm,
    seed,
    images: Int32Array.from(hits, (_, i) => i),
    scores: { top1: of(scores.top1), balanced: of(scores.balanced), auroc: of(scores.auroc), knn: of(scores.knn) },
  };
}

const [GOOD, BAD] = [[1, 1, 1, 1, 1, 1, 1, 0], [0, 0, 1, 0, 0, 1, 0, 0]];

Deno.test("the tables compare methods image by image, and numbers of a seed seed by seed", async () => {
  const runs = [
    ...[runOf("no prior", 0, GOOD, 0.5), runOf("simclr", 0, BAD, 0.25)],
    ...[runOf("no prior", 1, GOOD, 0.52), runOf("simclr", 1, BAD, 0.26)],
  ];
  const [means, differences] = dataMarkdown(runs).split("\n\n").map((text) => text.split("\n"));
  assertEquals(means!.slice(2), [
    "| no prior | 0.875 ± .000 | 0.500 ± .000 | 0.750 ± .000 | 0.510 ± .014 |",
    "| simclr | 0.250 ± .000 | 0.500 ± .000 | 0.750 ± .000 | 0.255 ± .007 |",
  ]);
  const cells = differences!.at(-1)!.split(" | ");
  assertEquals(cells[0], "| no prior − simclr");
  assertMatch(cells[1]!, /^\+0\.625 \[\+0\.\d+, \+0\.\d+\] better$/);
  assertEquals(cells[2], "+0.000 [+0.000, +0.000] not told apart");
  assertMatch(cells[4]!, /^\+0\.255 \[\+0\.191, \+0\.319\] better \|$/, "Student's with one degree: 12.706 x .005");
  const one = dataMarkdown(runs.slice(0, 2)).split("\n").at(-1)!;
  assertStringIncludes(one, "+0.250 (one seed)");
  const page = await dataPage(runs, "facts");
  assertStringIncludes(page, "Which method learns what?");
  assert(page.includes("<svg"), "a picture");
});

Deno.test("readScores() says how to get the predictions that results of before lack", async () => {
  await withFolder(async (run) => {
    await writeFiles(run, { "linear/linear_eval.json": '{"tasks":[{"task":"all"}]}' });
    await assertRejects(
      () => readScores(run),
      Deno.errors.NotFound,
      `Cannot compare "${run}/linear" as it has no predictions.npz, which linear_eval.ts did not always write: ` +
        `delete "${run}/run.json", and it is evaluated again`,
    );
    await writeWhole(
      `${run}/linear/predictions.npz`,
      npzChunks({ "all.labels": ndarray([1], "i32", Int32Array.of(1)) }),
    );
    const message = `Cannot compare "${run}/linear" as its predictions.npz must have "all.predicted"`;
    await assertRejects(() => readScores(run), SyntaxError, message);
  });
});

Deno.test("compare_methods.ts --db trains and evaluates by the programs, and does not repeat what is done", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 40, 15);
    const args = ["--db", "cifar10", "--root", `${folder}/data`, "--save_dir", `${folder}/out`, "--seeds", "1"];
    const small = ["--methods", "simclr", "--epochs", "1", "--pretrain=--network tiny --batch_size 8 --eval_every 0"];
    const first = await runExample("compare_methods", [...args, ...small]);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(first.stdout, /\ncifar10\.ts --root .* --method simclr --seed 0 --epochs 1 --network tiny /);
    assertMatch(first.stdout, /\n\| simclr \| 0\.\d{3} \| 0\.\d{3} \| 0\.\d{3} \| 0\.\d{3} \|\n\n\(cifar10; /);
    const json = JSON.parse(await Deno.readTextFile(`${folder}/out/simclr-0/linear/linear_eval.json`));
    const arrays = await readNpz(await Deno.readFile(`${folder}/out/simclr-0/linear/predictions.npz`));
    const values = (name: string) => [...arrays.get(`classes.${name}`)!.data as Int32Array];
    const [labels, predicted] = [values("labels"), values("predicted")];
    assertEquals(labels.filter((label, i) => label === predicted[i]).length / 15, json.tasks[0].top1);
    assertEquals(arrays.get("classes.scores")!.shape, [15, 3]);
    assertStringIncludes(first.stdout, `| simclr | ${json.tasks[0].top1.toFixed(3)} |`);
    const again = await runExample("compare_methods", [...args, ...small]);
    assertEquals([again.code, again.stdout.includes("cifar10.ts ")], [0, false], again.stderr);
    const other = await runExample("compare_methods", [...args, ...small, "--evaluate=--feature pooled"]);
    assertEquals(other.code, 1);
    assertMatch(other.stderr, /^error: Cannot go on with ".*run\.json" as its arguments were others: got /);
  });
});
