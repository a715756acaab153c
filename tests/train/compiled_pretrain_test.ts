import { assertEquals, assertGreater } from "@std/assert";
import { Device, key, noGrad, normal, scope, zeros } from "../../mod.ts";
import { naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { type PretrainConfig, Pretraining } from "../../src/train/mod.ts";
import { smallDataset, stateOf } from "./_small.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();
const recipe = naturalRecipe({ size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const BASE = { epochs: 8, batchSize: 8, lr: 0.05, printEvery: 2 } as const;

/** Trains, with evaluation between the steps, until there are so many losses; returns the next position. */
async function run(training: Pretraining, model: ReturnType<typeof makeModel>, losses: number[], until = Infinity) {
  let next = { epoch: 0, step: 0 };
  for await (const report of training.reports()) {
    losses.push(report.loss);
    next = report.next;
    model.eval();
    noGrad(() => {
      using _ = scope();
      model.forward(zeros([3, 1, 16, 16, 3]));
    });
    model.train();
    if (losses.length >= until) break;
  }
  return next;
}

/** Trains on 21 samples (batches of 8, 8 and 5), looks at the model in between, and gives everything that it learnt. */
async function train(config: PretrainConfig, stopAt = Infinity) {
  using source = new ResidentImages(device, smallDataset(21).pixels!, recipe);
  using prior = config.kernel ? normal([21, 5], { key: key(1) }) : undefined;
  const model = makeModel("tiny", { stem: "cifar" });
  const losses: number[] = [];
  let training = new Pretraining(model, { source, prior }, config);
  if (stopAt < Infinity) {
    const start = await run(training, model, losses, stopAt);
    const state = await training.optimizer.state();
    const scale = await training.scaler?.state();
    training.dispose();
    training = new Pretraining(model, { source, prior }, { ...config, start });
    training.optimizer.loadState(state);
    if (scale) training.scaler!.loadState(scale);
  }
  await run(training, model, losses);
  const result = {
    losses,
    state: await stateOf(model),
    optimizer: { ...await training.optimizer.state(), ...await training.scaler?.state() },
    replays: training.replays,
  };
  training.dispose();
  model.dispose();
  return result;
}

const CASES: [string, Partial<PretrainConfig>][] = [
  ["SGD", {}],
  ["momentum, weight decay and a prior", { momentum: 0.9, weightDecay: 1e-3, kernel: rbf({ sigma: 2 }) }],
  ["mixed precision", { momentum: 0.9, precision: "mixed" }],
  ["LARS", { optimizer: "lars", weightDecay: 1e-3 }],
];
for (const [name, config] of CASES) {
  testWith(
    device,
    config.precision === "mixed" ? "shader-f16" : null,
    `Pretraining with ${name} learns the same bits from replayed steps, also after a resume`,
    async () => {
      const eager = await train({ ...BASE, ...config, compile: false });
      const { live, reserved } = device.memory;
      const replayed = await train({ ...BASE, ...config });
      // three steps of either size are ordinary ones, and one is compared after eight replays
      assertEquals(replayed, { ...eager, replays: (16 - 3 - 1) + (8 - 3) });
      assertEquals(device.memory, { ...device.memory, live, reserved });
      const resumed = await train({ ...BASE, ...config }, 7);
      assertEquals(resumed, { ...resumed, state: eager.state, optimizer: eager.optimizer });
      assertGreater(resumed.replays, 0);
    },
  );
}
