import { assert, assertEquals } from "@std/assert";
import { type DemoName, writeDemo } from "../../src/data/mod.ts";
import { VERSION } from "../../src/jobs/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { runExample, smallRun, writeSmallCifar } from "./_run.ts";

/** Arguments of a run of seconds on each data set's layout, and what it must tell. */
const PROGRAMS: readonly { name: DemoName; args: readonly string[]; prior: number; score: string }[] = [
  { name: "cifar10", args: [], prior: 0, score: "knn_top1" },
  { name: "cifar100", args: ["--optimizer", "lars"], prior: 0, score: "knn_top1" },
  { name: "imagenet100", args: ["--n_views", "3"], prior: 0, score: "knn_top1" },
  { name: "cub200", args: ["--sigma", "1"], prior: 64, score: "knn_top1" },
  { name: "utzappos", args: ["--kernel", "cosine"], prior: 64, score: "knn_top1" },
  { name: "chexpert", args: ["--kernel", "none", "--views", "PA,AP"], prior: 0, score: "knn_mean_auroc" },
  { name: "custom", args: ["--weaklabels", "--kernel", "linear"], prior: 64, score: "knn_top1" },
];
const SMALL = ["--resolution", "32", "--epochs", "2", "--limit", "24"];

for (const { name, args, prior, score } of PROGRAMS) {
  Deno.test(`examples/${name}.ts trains, evaluates, saves and reports on a tree in its layout`, async () => {
    await withFolder(async (folder) => {
      await writeDemo(name, `${folder}/data`, { train: 36, test: 18 });
      const run = `${folder}/run`;
      const { code, stderr } = await runExample(name, [...smallRun(`${folder}/data`, run), ...SMALL, ...args]);
      assertEquals(code, 0, stderr);
      const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
      assertEquals([config.db, config.demo, config.images, config.prior_columns], [name, false, 24, prior]);
      assertEquals([config.version, Date.parse(config.date) > Date.now() - 600_000], [VERSION, true]);
      const lines = (await Deno.readTextFile(`${run}/metrics.jsonl`)).trim().split("\n").map((line) =>
        JSON.parse(line)
      );
      const steps = lines.filter((line) => "loss" in line);
      assertEquals(steps.map(({ epoch, step }) => [epoch, step]), [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]);
      assert(
        steps.every(({ loss, centroid_square, lr }) =>
          loss < 0 && centroid_square > 0 && centroid_square <= 1.001 && lr > 0
        ),
        JSON.stringify(steps),
      );
      const evaluation = lines.at(-1);
      assertEquals([evaluation.epoch, evaluation.queries > 0], [2, true]);
      assert(evaluation[score] >= 0 && evaluation[score] <= 1, JSON.stringify(evaluation));
      const page = await Deno.readTextFile(`${run}/report.html`);
      assert(page.includes("<h2>Loss</h2>") && page.includes("<h2>Neighbours</h2>"));
      assertEquals(page.includes("retained variance"), prior > 0);
      for (const file of ["checkpoint_0002", "last", "previous", "encoder"]) {
        assert((await Deno.stat(`${run}/${file}.safetensors`)).size > 10_000, file);
      }
    });
  });

  Deno.test(`examples/${name}.ts stops at once when there is no data, says what to put where, and names --demo`, async () => {
    await withFolder(async (folder) => {
      const args = ["--root", `${folder}/none`, "--save_dir", `${folder}/run`];
      const { code, stderr } = await runExample(name, args, ["--deny-net"]);
      assertEquals(code, 1);
      assert(stderr.startsWith("error: Cannot load "), stderr);
      assert(stderr.includes(`"${folder}/none"`) && stderr.includes(`deno run -A examples/${name}.ts --demo`), stderr);
    });
  });

  Deno.test(`examples/${name}.ts --help shows the original's recipe`, async () => {
    const { code, stdout } = await runExample(name, ["--help"]);
    assertEquals(code, 0);
    for (
      const text of ["Data:", "Model and loss:", "Optimisation:", "Run:", "--batch_size <integer>", `${name}.ts --demo`]
    ) {
      assert(stdout.includes(text), text);
    }
  });
}

Deno.test("--demo runs the whole program and labels everything as demo data", async () => {
  await withFolder(async (folder) => {
    const args = ["--demo", "--epochs", "1", "--root", `${folder}/data`, "--save_dir", `${folder}/run`, "--profile"];
    const { code, stderr } = await runExample("cifar10", args);
    assertEquals(code, 0, stderr);
    assert(stderr.includes("Demo: 512 emoji images in the layout of CIFAR-10"), stderr);
    assert(stderr.includes("images (demo data)"), stderr);
    assert(
      /Time of a step: decode 0.0 ms, wait 0.0 ms, upload .* forward .* backward .* optimiser/.test(stderr),
      stderr,
    );
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/run/config.json`)).demo, true);
    const lines = (await Deno.readTextFile(`${folder}/run/metrics.jsonl`)).trim().split("\n");
    assert(lines.every((line) => JSON.parse(line).demo === true));
    const page = await Deno.readTextFile(`${folder}/run/report.html`);
    assert(page.includes("Demo data made of emoji images, not the data set itself"));
    assert(page.includes("<h2>Time of a step</h2>"));
  });
});

Deno.test("a mistake on the command line is an error of one line with status 2", async () => {
  const { code, stderr } = await runExample("cub200", ["--sgima", "3"]);
  assertEquals([code, stderr.trim()], [
    2,
    "error: Cannot read --sgima as there is no such flag: did you mean --sigma? (--help lists all)",
  ]);
});

Deno.test("a folder that cannot be written, a prior that does not match and too few images stop a run before it trains", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 20, 5);
    await Deno.writeTextFile(`${folder}/file`, "");
    const run = (saveDir: string, ...args: string[]) =>
      runExample("cifar10", [...smallRun(`${folder}/data`, saveDir), ...args]);
    const unwritable = await run(`${folder}/file/run`);
    assert(unwritable.stderr.includes(`Cannot write to --save_dir "${folder}/file/run"`), unwritable.stderr);
    await Deno.writeTextFile(`${folder}/prior.csv`, "u,v\n1,2\n3,4\n");
    const prior = await run(`${folder}/run`, "--prior", `${folder}/prior.csv`, "--kernel", "cosine");
    assert(prior.stderr.includes("20") && prior.stderr.startsWith("error: Cannot"), prior.stderr);
    const absent = await run(`${folder}/run`, "--weaklabels", "--kernel", "cosine");
    assert(
      absent.stderr.includes(`Cannot load the prior of CIFAR-10: "${folder}/data/cifar10_prior.npz" is absent`),
      absent.stderr,
    );
    const few = await run(`${folder}/run`, "--batch_size", "64", "--drop_last");
    assert(few.stderr.includes("dropLast leaves no batch of 64: got 20 samples"), few.stderr);
    const resume = await run(`${folder}/run`, "--resume", `${folder}/x.safetensors`);
    assert(
      resume.stderr.includes(`Cannot resume from "${folder}/x.safetensors": there is no such file`),
      resume.stderr,
    );
    for (const { code } of [unwritable, prior, absent, few, resume]) assertEquals(code, 1);
  });
});

Deno.test("a data set with nothing but training images is pre-trained on, and judged by itself", async () => {
  for (const [name, held] of [["imagenet100", "val"], ["chexpert", "valid.csv"]] as const) {
    await withFolder(async (folder) => {
      await writeDemo(name, `${folder}/data`, { train: 36, test: 18 });
      await Deno.remove(`${folder}/data/${held}`, { recursive: true });
      const args = ["--resolution", "32", "--epochs", "1", "--limit", "24", "--kernel", "none"];
      const { code, stdout, stderr } = await runExample(name, [
        ...smallRun(`${folder}/data`, `${folder}/run`),
        ...args,
      ]);
      assertEquals(code, 0, stderr);
      assert(`${stdout}${stderr}`.includes("No test images, so evaluations judge the training images by each other: "));
      const last = JSON.parse((await Deno.readTextFile(`${folder}/run/metrics.jsonl`)).trim().split("\n").at(-1)!);
      assertEquals(last.queries, 24);
    });
  }
});
