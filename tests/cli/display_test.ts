import { assert, assertEquals } from "@std/assert";
import { JobDisplay, parsePretrain, ProgressDisplay } from "../../src/cli/mod.ts";
import type { JobEvent } from "../../src/jobs/mod.ts";

const { settings } = parsePretrain(["--epochs", "4", "--network", "tiny"], {
  db: "cifar10",
  title: "CIFAR-10",
  stem: "cifar",
  resolution: 32,
  recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
  load: () => Promise.resolve(null),
})!;
const facts = {
  ...{ device: "dev", images: 9, held_out: 0, classes: 3, prior_columns: 0, parameters: 12424 },
  ...{ deno: "2", version: "0", date: "2026-11-29T03:00:00.000Z" },
};
const next = { epoch: 2, step: 0 };
const start: JobEvent = { type: "start", steps: 5, position: { epoch: 1, step: 2 }, facts };
const step: JobEvent = {
  type: "step",
  epoch: 2,
  step: 5,
  steps: 5,
  loss: -1.5,
  centroid_square: 0.5,
  lr: 0.3,
  images_per_second: 12,
  seconds: 1,
  epochDone: true,
  next,
};

function shown(events: readonly JobEvent[], options: { terminal?: boolean; json?: boolean } = {}): string {
  const text: string[] = [];
  const progress = new ProgressDisplay({
    terminal: options.terminal ?? false,
    write: (t) => text.push(t),
    interval: 0,
  });
  const json = options.json ?? false;
  const display = new JobDisplay({ json, settings, progress, log: (line) => text.push(line) });
  for (const event of events) display.show(event);
  return text.join("|");
}

Deno.test("JobDisplay prints plain lines, and a bar in a terminal", () => {
  const plain = shown([start, step]);
  assert(plain.includes("tiny (12,424 parameters) on 9 images, batch 256, 5 steps an epoch; dev"), plain);
  assert(plain.includes("Going on in epoch 2/4, after step 2"), plain);
  assert(plain.includes("epoch 2/4  50 %  loss -1.5000  centroid² 0.5000  lr 0.300  images/s 12  GPU 0 MB"), plain);
  const slow = shown([{ ...start, steps: 1 }, { ...step, images_per_second: 0.5 }]);
  assert(slow.includes("images/s 0.50"), slow);
  assert(slow.includes("batch 256, 1 step an epoch"), slow);
  assert(shown([step], { terminal: true }).includes("epoch 2/4 ██████████░░░░░░░░░░"));
});

Deno.test("JobDisplay prints evaluations, the profile and how a run ended", () => {
  const knn: JobEvent = { type: "evaluated", epoch: 2, knn_top1: 0.5, knn_top5: 1, queries: 8, evaluation_seconds: 1 };
  assert(shown([knn]).includes("k-NN after epoch 2/4: top-1 50.0 %, top-5 100.0 % of 8 images"));
  assert(
    shown([{ type: "evaluated", epoch: 2, knn_mean_auroc: 0.75, queries: 8, evaluation_seconds: 1 }]).includes(
      "mean AUROC 0.750 of 8 images",
    ),
  );
  const end: JobEvent = { type: "end", complete: false, path: "r/last.safetensors", profile: { forward: 1.25 } };
  const text = shown([end]);
  assert(text.includes("Time of a step: forward 1.3 ms"), text);
  assert(text.includes("Stopped and saved: r/last.safetensors; the same command goes on from here"), text);
  assert(text.includes("Report: r/report.html"), text);
  assert(shown([{ ...start, position: { epoch: 4, step: 0 } }]).includes("The run is complete (4 epochs)"));
});

Deno.test("JobDisplay shows shaders as they are compiled, to machines at the beginning and the end", () => {
  const compiled = (json: boolean) => {
    const text: string[] = [];
    const write = (line: string) => void text.push(line);
    const progress = new ProgressDisplay({ terminal: false, write, interval: 0 });
    const display = new JobDisplay({ json, settings, progress, log: write });
    for (const done of [1, 20, 40]) display.compiling(done, 40);
    return text;
  };
  assertEquals(compiled(false).map((line) => line.replace(/ {2}[^ ]+ s left\n$/, "")), [
    "compile  3 %  shaders 1 of 40  ? left\n",
    "compile  50 %  shaders 20 of 40",
    "compile  100 %  shaders 40 of 40",
  ]);
  const event = (done: number) => JSON.stringify({ type: "compiling", done, total: 40 });
  assertEquals(compiled(true), [event(1), event(40)]);
});

Deno.test("JobDisplay prints one JSON object a line for machines", () => {
  assertEquals(
    shown([start, step, { type: "note", message: "m" }], { json: true }).split("|").map((line) =>
      JSON.parse(line).type
    ),
    [
      "start",
      "step",
      "note",
    ],
  );
});
