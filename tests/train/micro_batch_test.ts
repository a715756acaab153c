import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Device, DeviceError, keep, key, mean, normal, relu, reshape, scope, type Tensor } from "../../mod.ts";
import { autocastSums } from "../../src/autograd/mod.ts";
import { dropout } from "../../src/ops/mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { SingleProcess } from "../../src/distributed/mod.ts";
import { naturalRecipe, NORMALIZATION, type PixelDataset, ResidentImages } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { type Contrastive, contrastive, Linear, Module, ResNet } from "../../src/nn/mod.ts";
import { GradScaler, LARS, SGD } from "../../src/optim/mod.ts";
import { MetricRing, pretrain, type PretrainConfig, Pretraining } from "../../src/train/mod.ts";
import { divisionNote, evenOut, microBatchOf, partCount } from "../../src/train/micro_batch.ts";
import { Objective } from "../../src/train/objective.ts";
import { resolveConfig } from "../../src/train/resolve.ts";
import { TrainingSteps } from "../../src/train/training_step.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { openLimited } from "../device/_limited.ts";
import { stateOf } from "./_small.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

/** A network without batch normalisation: colours, two layers. */
class Plain extends Module {
  first = new Linear({ inFeatures: 3, outFeatures: 16, key: key(1), device });
  second = new Linear({ inFeatures: 16, outFeatures: 8, key: key(2), device });

  override forward(x: Tensor): Tensor {
    const colours = mean(reshape(x, [x.shape[0]!, x.shape[1]!, -1, 3]), { dim: 2 });
    return this.second.forward(relu(this.first.forward(colours)));
  }
}

/** The same with dropout, which draws anew for each part. */
class Dropping extends Plain {
  draws = 0;

  override forward(x: Tensor): Tensor {
    return super.forward(dropout(x, { p: 0.5, key: () => key(7, this.draws++) }));
  }
}

/** A network that computes nothing, but notes in what precision it may sum. */
class Watched extends Plain {
  readonly predictor = null;
  readonly sums: string[] = [];

  override forward(x: Tensor): Tensor {
    this.sums.push(autocastSums());
    return x;
  }
}

testWith(device, "shader-f16", "Objective lets the network sum in f16 in the precision mixed-f16 alone", async () => {
  using _ = scope();
  using source = new ResidentImages(device, pictures(4).pixels, naturalRecipe({ size: 16 }));
  for (const [precision, sums] of [["full", "f32"], ["mixed", "f32"], ["mixed-f16", "f16"]] as const) {
    const model = new Watched();
    const contrastive = model as unknown as Contrastive;
    const settings = { epochs: 1, batchSize: 2, precision } as const;
    const training = new Pretraining(contrastive, { source }, settings);
    assertEquals(training.scaler !== null, precision !== "full");
    new Objective(contrastive, resolveConfig(settings), training.scaler).embed([
      normal([2, 2, 4, 4, 3], { key: key(5) }),
    ]);
    assertEquals(model.sums, [sums]);
    await device.done();
    for (const each of [training, model]) each.dispose();
  }
});

interface Steps {
  readonly sizes: readonly number[];
  readonly compile?: boolean;
  readonly mixed?: boolean;
  readonly prior?: boolean;
  readonly lars?: boolean;
  readonly drops?: boolean;
  readonly joint?: boolean;
}

/** Weights and losses after six steps on batches of ten samples in parts. */
async function train({ sizes, compile = true, mixed = false, prior = false, ...rest }: Steps) {
  const { lars = false, drops = false, joint = false } = rest;
  const model = drops ? new Dropping() : new Plain();
  const scaler = mixed ? new GradScaler({ device, initScale: 1024 }) : null;
  const config = resolveConfig({ epochs: 1, ...prior ? { kernel: rbf({ sigma: 1 }) } : {} });
  const objective = new Objective(model as unknown as Contrastive, config, scaler);
  const optimizer = lars
    ? new LARS(model.parameters(), { lr: 0.3 })
    : new SGD(model.parameters(), { lr: 0.3, momentum: 0.9 });
  const metrics = new MetricRing(device, ["loss", "centroid_square"], 10);
  const steps = new TrainingSteps({ objective, optimizer, metrics, compile, joint });
  for (let i = 0; i < 6; i++) {
    using _ = scope();
    const all = normal([10, 2, 4, 4, 3], { key: key(5, i), device });
    const values = await all.data();
    let at = 0;
    const parts = sizes.map((n) => {
      const part = keep(normal([n, 2, 4, 4, 3], { key: key(0), device }));
      part.write(values.subarray(at, at += n * 96));
      return part;
    });
    const agreed = { counts: [10], trains: true, stop: false };
    await steps.run({ parts, prior: prior ? normal([10, 4], { key: key(6, i), device }) : null, agreed });
    for (const part of parts) part.dispose();
  }
  const losses = (await metrics.read()).map(({ loss }) => loss!);
  const weights = await Promise.all(model.parameters().map((parameter) => parameter.data()));
  const replays = steps.replays;
  for (const each of [steps, metrics, optimizer, model, scaler]) each?.dispose();
  const draws = model instanceof Dropping ? model.draws : 0;
  return { losses, weights: weights.flatMap((w) => [...w]), replays, steps: 6, draws };
}

for (
  const [name, options] of [
    ["SGD", {}],
    ["a prior", { prior: true }],
    ["LARS", { lars: true }],
    ["mixed precision", { mixed: true }],
    ["steps that are not replayed", { compile: false }],
  ] as [string, Omit<Steps, "sizes">][]
) {
  testWith(
    device,
    options.mixed ? "shader-f16" : null,
    `a divided batch trains as the whole one without batch normalisation, with ${name}`,
    async () => {
      const whole = await train({ ...options, sizes: [10] });
      const divided = await train({ ...options, sizes: [3, 5, 2] });
      const rtol = options.mixed ? 2e-3 : 2e-5;
      assertClose(divided.losses, whole.losses, { rtol });
      assertClose(divided.weights, whole.weights, { rtol });
      assertNotEquals(whole.losses[0], whole.losses[5]);
      assertEquals(divided.replays, options.compile === false ? 0 : 3);
    },
  );
}

Deno.test("a divided step that is replayed has the bits of one that is not", async () => {
  const { replays: _, ...eager } = await train({ sizes: [4, 4, 2], compile: false, prior: true });
  const { replays, ...replayed } = await train({ sizes: [4, 4, 2], prior: true });
  assertEquals(replayed, eager);
  assertEquals(replays, 3);
});

Deno.test("a divided step draws in the second encoding what it drew in the first, part by part", async () => {
  const sizes = [4, 4, 2]; // two parts of one shape, and so of one recording
  const whole = await train({ sizes, drops: true, joint: true }); // parts are encoded once, each with its draws
  const divided = await train({ sizes, drops: true });
  assertClose(divided.losses, whole.losses, { rtol: 2e-5 });
  assertClose(divided.weights, whole.weights, { rtol: 2e-5 });
  assertEquals([divided.draws, whole.draws, divided.replays], [18, 18, 3]);
  const { replays: _, ...eager } = await train({ sizes, drops: true, compile: false });
  assertEquals(eager, { losses: divided.losses, weights: divided.weights, steps: 6, draws: 18 });
  const plain = await train({ sizes });
  assertNotEquals(plain.losses, divided.losses);
});

/** Random pictures of 16 px. */
function pictures(length: number): PixelDataset {
  const data = Uint8Array.from(uniformNumbers(length * 768, key(5)), (v) => 256 * v);
  const rest = { classes: [], resolution: 16, notes: [], ...NORMALIZATION.cifar };
  return { name: "made", split: "train", length, labels: null, pixels: { data, height: 16, width: 16 }, ...rest };
}

const LAYOUT = { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const;

/** Losses and state of a network with batch normalisation after two epochs of 20 pictures in batches of 8. */
async function pretrained(config: Partial<PretrainConfig>, on: Device = device) {
  const model = contrastive(new ResNet(LAYOUT, { numClasses: 12, device: on }), { projection: 6, device: on });
  using source = new ResidentImages(on, pictures(20).pixels, naturalRecipe({ size: 16 }));
  const losses = [];
  const whole = { epochs: 2, batchSize: 8, lr: 0.1, momentum: 0.9, printEvery: 1, ...config };
  for await (const { loss } of pretrain(model, { source }, whole)) losses.push(loss);
  const state = await stateOf(model);
  const tracked = [...model.namedCounters()].map(([, { value }]) => value);
  model.dispose();
  return { losses, state, tracked };
}

Deno.test("pretrain() in parts with the statistics of the whole batch trains as the whole batch", async () => {
  const whole = await pretrained({});
  const parts = await pretrained({ microBatch: 3, batchStatistics: "batch" });
  assertClose(parts.losses, whole.losses, { rtol: 1e-3 });
  for (const [name, values] of Object.entries(whole.state)) {
    assertClose(parts.state[name] as ArrayLike<number>, values as ArrayLike<number>, { rtol: 2e-3, atol: 1e-5 });
  }
  assertEquals(parts.tracked, whole.tracked, "the running statistics moved once a step");
});

Deno.test("pretrain() in parts with their own statistics moves the running ones once a part, not twice", async () => {
  const parts = await pretrained({ microBatch: 4 });
  assertEquals(parts.tracked[0], 2 * (2 + 2 + 1), "batches of 8, 8 and 4");
  assert(parts.losses.every((loss) => loss < 0 && Number.isFinite(loss)));
  const { losses } = await pretrained({ microBatch: 4, compile: false });
  assertEquals(losses, parts.losses);
});

Deno.test("pretrain() in parts goes on bit by bit where it was stopped", async () => {
  const model = () => contrastive(new ResNet(LAYOUT, { numClasses: 12 }), { projection: 6 });
  const config = { epochs: 3, batchSize: 8, lr: 0.1, momentum: 0.9, printEvery: 1, microBatch: 3 };
  using source = new ResidentImages(device, pictures(20).pixels, naturalRecipe({ size: 16 }));
  const [once, twice] = [model(), model()];
  for await (const _ of pretrain(once, { source }, config));
  const stop = new AbortController();
  const first = new Pretraining(twice, { source }, { ...config, signal: stop.signal });
  let start = { epoch: 0, step: 0 };
  for await (const { next, epoch, step } of first.reports()) {
    start = next;
    if (epoch === 2 && step === 1) stop.abort();
  }
  assertEquals(start, { epoch: 1, step: 2 });
  const state = await first.optimizer.state();
  first.dispose();
  const second = new Pretraining(twice, { source }, { ...config, start });
  second.optimizer.loadState(state);
  for await (const _ of second.reports());
  second.dispose();
  assertEquals(await stateOf(twice), await stateOf(once));
  for (const each of [once, twice]) each.dispose();
});

Deno.test("pretrain() divides its batches by itself where the adapter does not take them", async () => {
  await using limited = await openLimited({ maxStorageBufferBindingSize: 2 ** 14 });
  const model = contrastive(new ResNet(LAYOUT, { numClasses: 12, device: limited }), {
    projection: 6,
    device: limited,
  });
  const shape = { batchSize: 8, views: 2, size: 16, mixed: false };
  const microBatch = await microBatchOf(model, shape, new SingleProcess());
  assert(microBatch >= 1 && microBatch < 8, `${microBatch}`);
  assertEquals(model.parameters().filter(({ grad }) => grad), []);
  assertEquals([...model.namedCounters()][0]![1].value, 0);
  model.dispose();
  const chosen = await pretrained({}, limited);
  const asked = await pretrained({ microBatch });
  assertClose(chosen.losses, asked.losses, { rtol: 1e-3 });
  await assertRejects(() => pretrained({ microBatch: 8 }, limited), DeviceError, "binds at most 16384 bytes at once");
});

Deno.test("pretrain() tells of a step in parts before any part runs, when each pass has one part", async () => {
  const submits: number[] = []; // at each call
  const beforeFirstStep = () => Promise.resolve(submits.push(device.counters.submits));
  const whole = await pretrained({ microBatch: 3 });
  const { losses } = await pretrained({ microBatch: 3, beforeFirstStep });
  assertEquals(losses, whole.losses);
  assertEquals(submits, Array.from({ length: 3 }, () => submits[0]));
});

Deno.test("divisionNote() tells parts, limit and statistics; evenOut() halves what is left", async () => {
  const model = contrastive(new ResNet(LAYOUT, { numClasses: 12 }), { projection: 6 });
  const told = { batchSize: 256, microBatch: 100, ranks: 1, statistics: "part" } as const;
  const most = device.limits.maxStorageBufferBindingSize / 2 ** 20;
  assertEquals(
    divisionNote(model, told),
    "Batches of 256 are encoded in 3 parts of at most 86 samples (--micro_batch; this adapter binds " +
      `${Math.floor(most)} MiB at once): loss and gradient are those of the whole batch, batch normalisation has the ` +
      "statistics of each part (--batch_statistics)",
  );
  assertEquals(divisionNote(model, { ...told, microBatch: 256 }), null);
  assertEquals(partCount(256, 4, 64), 1);
  assertEquals(partCount(257, 4, 64), 2);
  using _ = scope();
  const parts = evenOut([normal([5, 2], { key: key(1) }), normal([2, 2], { key: key(2) })], 4);
  assertEquals(parts.map(({ shape }) => shape[0]), [2, 1, 2, 2]);
  assertEquals([...await parts[0]!.data(), ...await parts[1]!.data()].length, 6);
  model.dispose();
});

Deno.test("pretrain() refuses parts and statistics that are none", async () => {
  await assertRejects(() => pretrained({ microBatch: 0 }), RangeError, "microBatch must be an integer >= 1: got 0");
  await assertRejects(
    () => pretrained({ batchStatistics: "all" as "part" }),
    RangeError,
    'batchStatistics must be "part" or "batch": got "all"',
  );
});
