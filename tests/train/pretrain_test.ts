import { assert, assertEquals, assertRejects } from "@std/assert";
import { Device, key, normal } from "../../mod.ts";
import type { Communicator } from "../../src/distributed/mod.ts";
import { batchSizes, type ImageDataset, naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import {
  LossNotFiniteError,
  pretrain,
  type PretrainConfig,
  Pretraining,
  type PretrainReport,
  StepProfile,
} from "../../src/train/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { smallDataset, stateOf } from "./_small.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();
const recipe = naturalRecipe({ size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const images = (dataset: ImageDataset) => new ResidentImages(device, dataset.pixels!, recipe);
const CONFIG = { epochs: 3, batchSize: 8, lr: 0.05, printEvery: 1 } as const;

async function all(reports: AsyncIterable<PretrainReport>): Promise<PretrainReport[]> {
  const found = [];
  for await (const report of reports) found.push(report);
  return found;
}

Deno.test("pretrain() trains every epoch in another order and tells where it is", async () => {
  using source = images(smallDataset(20));
  const model = makeModel("tiny", { stem: "cifar" });
  const recorded: number[] = []; // submits that the first step waits for when it is told of
  const beforeFirstStep = async () => {
    const { submits } = device.counters;
    await device.done();
    recorded.push(device.counters.submits - submits);
  };
  const reports = await all(pretrain(model, { source }, { ...CONFIG, beforeFirstStep }));
  assertEquals(recorded, [1]);
  assertEquals(reports.map(({ epoch, step, steps, epochDone }) => [epoch, step, steps, epochDone]), [
    ...[1, 2, 3].flatMap((epoch) => [[epoch, 1, 3, false], [epoch, 2, 3, false], [epoch, 3, 3, true]]),
  ]);
  assertEquals(reports.at(-1)?.next, { epoch: 3, step: 0 });
  assertEquals(reports[4]?.next, { epoch: 1, step: 2 });
  assert(
    reports.every(({ loss, centroid_square, images_per_second }) =>
      loss < 0 && centroid_square > 0 && centroid_square <= 1.001 && images_per_second > 0
    ),
  );
  assert(reports[8]!.lr < reports[0]!.lr);
  model.dispose();
});

Deno.test("pretrain() reads back only every printEvery steps and at the end of an epoch", async () => {
  using source = images(smallDataset(20));
  const model = makeModel("tiny", { stem: "cifar" });
  const reports = await all(pretrain(model, { source }, { ...CONFIG, batchSize: 4, printEvery: 2, epochs: 1 }));
  assertEquals(reports.map(({ step }) => step), [2, 4, 5]);
  const never = { ...CONFIG, batchSize: 4, printEvery: 1e15, epochs: 2 }; // as who prints nothing in between
  assertEquals((await all(pretrain(model, { source }, never))).map(({ step }) => step), [5, 5]);
  model.dispose();
});

for (
  const [name, config] of [
    ["SGD", { momentum: 0.9 }],
    ["LARS", { optimizer: "lars" }],
    ["SGD in mixed precision", { momentum: 0.9, precision: "mixed" }],
    ["LARS in mixed precision", { optimizer: "lars", precision: "mixed" }],
  ] as const
) {
  testWith(
    device,
    "precision" in config ? "shader-f16" : null,
    `Pretraining with ${name} goes on from any step as if it had never stopped`,
    async () => {
      using source = images(smallDataset(20));
      const whole = makeModel("tiny", { stem: "cifar" });
      await all(pretrain(whole, { source }, { ...CONFIG, ...config }));
      const model = makeModel("tiny", { stem: "cifar" });
      const stop = new AbortController();
      const first = new Pretraining(model, { source }, { ...CONFIG, ...config, signal: stop.signal });
      let start = { epoch: 0, step: 0 };
      for await (const report of first.reports()) {
        start = report.next;
        if (report.epoch === 2 && report.step === 1) stop.abort(); // the step under way is the second one
      }
      assertEquals(start, { epoch: 1, step: 2 });
      const second = new Pretraining(model, { source }, { ...CONFIG, ...config, start });
      second.optimizer.loadState(await first.optimizer.state());
      assertEquals(first.scaler !== null, name.endsWith("mixed precision"));
      if (first.scaler) second.scaler!.loadState(await first.scaler.state());
      await all(second.reports());
      assertEquals(await stateOf(model), await stateOf(whole));
      for (const each of [first, second, model, whole]) each.dispose();
    },
  );
}

Deno.test("pretrain() takes a prior through a kernel, and the last batch that is not full", async () => {
  using source = images(smallDataset(21));
  const prior = normal([21, 5], { key: key(1) });
  const model = makeModel("tiny", { stem: "cifar" });
  const reports = await all(pretrain(model, { source, prior }, { ...CONFIG, epochs: 1, kernel: rbf({ sigma: 2 }) }));
  assertEquals(reports.length, 3);
  assert(reports.every(({ loss }) => Number.isFinite(loss)));
  model.dispose();
  prior.dispose();
});

Deno.test("batchSizes() leaves a last batch of one out, and one that is not full where asked to", () => {
  assertEquals(batchSizes(21, 8, false), [8, 8, 5]);
  assertEquals(batchSizes(21, 8, true), [8, 8]);
  assertEquals(batchSizes(17, 8, false), [8, 8]);
  assertEquals(batchSizes(3, 8, false), [3]);
});

Deno.test("pretrain() stops when the loss is not finite, and says in which steps and what to try", async () => {
  using source = images(smallDataset(16));
  const model = makeModel("tiny", { stem: "cifar" });
  model.parameters()[0]!.write(new Float32Array(216).fill(NaN));
  const error = await assertRejects(() => all(pretrain(model, { source }, CONFIG)), LossNotFiniteError);
  assertEquals(
    error.message,
    "Cannot go on as the loss is not finite in epoch 1, steps 1 to 1: got NaN; try a smaller --lr (lr), or a larger --lambda " +
      "(ridge) if a prior is used",
  );
  model.dispose();
});

testWith(
  device,
  "shader-f16",
  "pretrain() in mixed precision follows full precision, and skips steps until its scale suits",
  async () => {
    using source = images(smallDataset(20));
    const losses = [];
    for (const precision of ["full", "mixed"] as const) {
      const model = makeModel("tiny", { stem: "cifar" });
      const training = new Pretraining(model, { source }, { ...CONFIG, precision });
      training.scaler?.loadState({ scale: 2 ** 40, growthTracker: 0, skipped: 0 });
      losses.push((await all(training.reports())).map(({ loss }) => loss));
      const { scale = 0, skipped = 0 } = await training.scaler?.state() ?? {};
      // A gradient of this loss is near 1 and f16 ends at 2^16, so at 2^40 the first steps overflow.
      if (precision === "mixed") assert(skipped > 0 && scale === 2 ** (40 - skipped), `got ${scale} and ${skipped}`);
      for (const each of [training, model]) each.dispose();
    }
    assertClose([losses[1]![0]!], [losses[0]![0]!], { rtol: TOLERANCE.mixedLoss });
  },
);

Deno.test("pretrain() refuses what it cannot train on", async () => {
  using source = images(smallDataset(20));
  using one = images(smallDataset(1));
  const model = makeModel("tiny", { stem: "cifar" });
  const prior = normal([19, 5], { key: key(1) });
  const kernel = rbf({ sigma: 1 });
  const cases: [Partial<PretrainConfig>, string, { source: ResidentImages; prior?: typeof prior }][] = [
    [{ kernel }, "a kernel needs a prior: got none", { source }],
    [{}, "a prior needs a kernel: got none", { source, prior }],
    [{ kernel }, "the prior must be [20, d]: got [19,5]", { source, prior }],
    [{ epochs: 0 }, "epochs must be >= 1: got 0", { source }],
    [{ warmUp: 3, epochs: 3 }, "warmUp must be >= 0 and less than the 3 epochs: got 3", { source }],
    [{ batchSize: 1 }, "batchSize must be an integer >= 2 (the loss is of pairs): got 1", { source }],
    [
      { batchSize: 6, group: { size: 4 } as Communicator },
      "batchSize must be >= 8 for 4 ranks (2 samples each): got 6",
      { source },
    ],
    [{ optimizer: "adagrad" as "sgd" }, 'optimizer must be "sgd" or "lars" or "adam" or "adamw": got', { source }],
    [{ lossScope: "all" as "local" }, 'lossScope must be "local" or "global": got "all"', { source }],
    [{ views: 0 }, "views must be >= 1: got 0", { source }],
    [{ printEvery: 0 }, "printEvery must be an integer >= 1: got 0", { source }],
    [{ printEvery: 1.5 }, "printEvery must be an integer >= 1: got 1.5", { source }],
    [{ ema: 0.9999999999 }, "ema must be in [0, 1): got 0.9999999999", { source }],
    [{}, "there must be at least 2 samples: got 1", { source: one }],
    [{ batchSize: 32, dropLast: true }, "dropLast leaves no batch of 32: got 20 samples", { source }],
    ...[{ epoch: 1, step: 3 }, { epoch: 0, step: 99 }, { epoch: -1, step: 0 }, { epoch: 0, step: 0.5 }].map((
      start,
    ): [Partial<PretrainConfig>, string, { source: ResidentImages }] => [
      { start, batchSize: 8, epochs: 2 },
      `start must be an epoch >= 0 and one of its 3 steps: got epoch ${start.epoch}, step ${start.step} (were the`,
      { source },
    ]),
  ];
  for (const [config, message, data] of cases) {
    await assertRejects(
      () => all(pretrain(model, data, { ...CONFIG, ...config })),
      Error,
      `Cannot pretrain() as ${message}`,
    );
  }
  model.dispose();
  prior.dispose();
});

Deno.test("StepProfile times every part of a step", async () => {
  using source = images(smallDataset(20));
  const model = makeModel("tiny", { stem: "cifar" });
  const profile = new StepProfile();
  await all(pretrain(model, { source }, { ...CONFIG, epochs: 1, profile }));
  assertEquals(profile.steps, 3);
  assertEquals([...profile.perStep.keys()], ["views", "forward", "backward", "optimiser"]);
  assert([...profile.perStep.values()].every((milliseconds) => milliseconds > 0));
  model.dispose();
});

Deno.test("pretrain() holds the same memory in step 300 as in step 20", async () => {
  using source = images(smallDataset(40));
  const prior = normal([40, 5], { key: key(1) });
  const model = makeModel("tiny", { stem: "cifar" });
  const config = { epochs: 60, batchSize: 8, printEvery: 5, kernel: rbf({ sigma: 2 }), momentum: 0.9 };
  let steady: unknown = null;
  for await (const { epoch } of pretrain(model, { source, prior }, config)) {
    const { live, pooled } = device.memory;
    const { buffers, pipelines, bindGroups } = device.counters;
    const now = { live, pooled, buffers, pipelines, bindGroups };
    if (epoch === 4) steady = now;
    if (epoch > 4) assertEquals(now, steady, `epoch ${epoch}`);
  }
  model.dispose();
  prior.dispose();
});
