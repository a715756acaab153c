import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensors } from "../../src/formats/mod.ts";
import sharp from "sharp";
import { withFolder } from "../data/_helpers.ts";
import { type Outcome, runExample, smallRun, writeSmallCifar } from "./_run.ts";

const COMMON = ["--db", "cifar10", "--no-maps", "--json"];

/** A run of one epoch of pre-training on small CIFAR files. */
async function pretrained(folder: string): Promise<string> {
  await writeSmallCifar(`${folder}/data`, 60, 15);
  const args = [...smallRun(`${folder}/data`, `${folder}/run`), "--epochs", "1", "--eval_every", "0"];
  assertEquals((await runExample("cifar10", args)).code, 0);
  return `${folder}/run/last.safetensors`;
}

function resultOf({ stdout, stderr, code }: Outcome) {
  assertEquals(code, 0, stderr);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("linear_eval writes classifier, numbers and report, reuses features, and scores a classifier again", async () => {
  await withFolder(async (folder) => {
    const checkpoint = await pretrained(folder);
    const args = [...COMMON, "--root", `${folder}/data`, "--pretrained", checkpoint, "--save_dir", `${folder}/out`];
    const events = resultOf(await runExample("linear_eval", args));
    const result = events.find(({ type }) => type === "result");
    assertEquals([result.train_samples, result.test_samples, result.method], [60, 15, "logistic"]);
    assertEquals(result.trials.length, 8);
    const json = JSON.parse(await Deno.readTextFile(`${folder}/out/linear_eval.json`));
    assertEquals(json.tasks[0].top1, result.top1);
    assertEquals([json.tasks[0].knn_top1, json.tasks[0].knn_top5], [result.knn_top1, null]);
    assertEquals(Math.round(15 * result.knn_top1) / 15, result.knn_top1, "a share of the 15 test images");
    assert(json.features.alignment > 0 && json.features.alignment < 4, `alignment ${json.features.alignment}`);
    assertEquals(json.tasks[0].confusion_matrix.flat().reduce((a: number, b: number) => a + b), 15);
    const { tensors } = readSafetensors(await Deno.readFile(`${folder}/out/classifier.safetensors`));
    assertEquals(tensors.get("weight")!.shape, [3, 64]);
    const report = await Deno.readTextFile(`${folder}/out/report.html`);
    for (const heading of ["Confusion matrix", "ROC curves", "Errors"]) assertStringIncludes(report, heading);
    assert(!/(src|href)="https?:/.test(report), "the report asks for nothing over the network");
    const again = resultOf(await runExample("linear_eval", [...args, "--evaluate"]));
    assertStringIncludes(JSON.stringify(again), "read from the cache");
    const second = again.find(({ type }) => type === "result");
    assertEquals([second.method, second.top1], ["given", result.top1]);
  });
});

Deno.test("linear_eval trains on augmented images with the encoder frozen, and takes a part of the labels", async () => {
  await withFolder(async (folder) => {
    const checkpoint = await pretrained(folder);
    const args = [...COMMON, "--root", `${folder}/data`, "--pretrained", checkpoint, "--feature", "pooled"];
    const augmented = [
      ...args,
      "--method",
      "augmented",
      "--epochs",
      "2",
      "-b",
      "30",
      "--save_dir",
      `${folder}/a`,
      "--watch",
    ];
    const [first, share] = [
      resultOf(await runExample("linear_eval", augmented)),
      resultOf(await runExample("linear_eval", [...args, "--label_share", "0.5", "--save_dir", `${folder}/b`])),
    ];
    assertEquals(first.find(({ type }) => type === "result").method, "augmented_sgd");
    const epochs = first.filter(({ label }) => label === "train").map(({ values }) => [values.epoch, values.loss > 0]);
    assertEquals(epochs, [[1, true], [2, true]]);
    assertMatch(JSON.stringify(first), /"Live report: http:\/\/127\.0\.0\.1:\d+\/"/);
    assertEquals(share.find(({ type }) => type === "result").train_samples, 30);
  });
});

Deno.test("linear_eval names the tensors that differ when the checkpoint is of another network", async () => {
  await withFolder(async (folder) => {
    const checkpoint = await pretrained(folder);
    const args = [...COMMON, "--root", `${folder}/data`, "--save_dir", `${folder}/out`, "--pretrained"];
    const { code, stderr } = await runExample("linear_eval", [...args, checkpoint, "--network", "resnet18"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `Cannot use "${checkpoint}" as a resnet18`);
    assertStringIncludes(stderr, "layer1.1.conv1.weight");
    const absent = await runExample("linear_eval", [...args, `${folder}/none.pth.tar`]);
    assertEquals(absent.code, 1);
    assertStringIncludes(absent.stderr, "there is no such file (--random evaluates an untrained encoder on purpose)");
  });
});

/** Writes plain pictures, of a colour for each class: `train/apple/0.png`. */
async function writeColours(root: string, classes: Record<string, string>, names: readonly string[]): Promise<void> {
  for (const [i, name] of names.entries()) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
    const background = classes[name.split("/")[1]!.normalize("NFC")]!;
    for (let each = 0; each < 3; each++) {
      const create = { width: 8 + i, height: 8 + each, channels: 3, background } as const;
      await sharp({ create }).png().toFile(`${root}/${name}/${each}.png`);
    }
  }
}

Deno.test("linear_eval joins classes by name where the test set lacks one, and refuses one that only it has", async () => {
  await withFolder(async (folder) => {
    const colours = { apple: "red", "banané": "yellow", plum: "blue", Apple: "red" };
    await writeColours(folder, colours, ["train/apple", "train/banané", "train/plum"]);
    await writeColours(folder, colours, ["test/plum", `test/${"banané".normalize("NFD")}`]);
    const args = [
      "--db",
      "custom",
      "--root",
      folder,
      "--random",
      "--network",
      "tiny",
      "--resolution",
      "8",
      "--no-maps",
    ];
    const events = resultOf(await runExample("linear_eval", [...args, "--json", "--save_dir", `${folder}/out`]));
    const { top1, knn_top1 } = events.find(({ type }) => type === "result");
    assertEquals([top1, knn_top1], [1, 1]);
    assertStringIncludes(JSON.stringify(events), '\\"custom\\" (test): 1 of 3 classes has no image: \\"apple\\"');
    await writeColours(folder, colours, ["test/Apple"]);
    const { code, stderr } = await runExample("linear_eval", [...args, "--save_dir", `${folder}/other`]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'as all must be classes of the training set: "Apple" is not');
    assertEquals(await Deno.stat(`${folder}/other`).catch(() => null), null);
  });
});
