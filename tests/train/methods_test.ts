import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device, key, normal, type Tensor, tensor } from "../../mod.ts";
import { naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { cosine, rbf } from "../../src/kernels/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";
import { makeModel, type MethodName, METHODS } from "../../src/methods/mod.ts";
import { type PretrainConfig, Pretraining, TRAINING } from "../../src/train/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { resolveConfig } from "../../src/train/resolve.ts";
import { smallDataset, stateOf } from "./_small.ts";

const device = await Device.open();
const recipe = naturalRecipe({ size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const SAMPLES = 16;
const BASE = { epochs: 4, batchSize: 8, lr: 0.05, printEvery: 100, queue: undefined } as const;

/** The prior that a method needs, if any, and its kernel. */
function priorOf(method: MethodName): { prior?: Tensor; kernel?: PretrainConfig["kernel"] } {
  const { prior } = METHODS[method];
  if (prior === "classes") return { prior: normal([SAMPLES, 1], { key: key(1) }) };
  if (prior !== "kernel") return {};
  return { prior: normal([SAMPLES, 5], { key: key(1) }), kernel: rbf({ sigma: 2 }) };
}

/** Models for a method: the one that learns, and those that follow it. */
function modelsFor(
  method: MethodName,
  ema?: number,
): { model: Contrastive } & Pick<PretrainConfig, "target" | "average"> {
  const follower = () => makeModel("tiny", { stem: "cifar", method, follows: true });
  return {
    model: makeModel("tiny", { stem: "cifar", method }),
    target: METHODS[method].targets === "momentum" ? follower() : undefined,
    average: ema === undefined ? undefined : follower(),
  };
}

/** Trains by a method and gives all that it learnt, and what an epoch took of the device. */
async function train(method: MethodName, config: Partial<PretrainConfig> = {}, given?: Tensor) {
  using source = new ResidentImages(device, smallDataset(SAMPLES).pixels!, recipe);
  const { prior, kernel } = given ? { prior: given } as ReturnType<typeof priorOf> : priorOf(method);
  const { model, ...followers } = modelsFor(method, config.ema);
  const queue = METHODS[method].queue ? 32 : undefined;
  const training = new Pretraining(model, { source, prior }, {
    ...BASE,
    method,
    kernel,
    ...followers,
    queue,
    ...config,
  });
  const losses: number[] = [];
  const taken: object[] = [];
  let before = device.counters;
  for await (const { loss } of training.reports()) {
    losses.push(loss);
    const { buffers, bindGroups, pipelines, reads } = device.counters;
    taken.push({
      buffers: buffers - before.buffers,
      bindGroups: bindGroups - before.bindGroups,
      pipelines: pipelines - before.pipelines,
      reads: reads - before.reads,
    });
    before = device.counters;
  }
  const learnt = { losses, state: await stateOf(model), beside: await training.readBeside() };
  const { replays } = training;
  for (const each of [training, model, followers.target, followers.average, prior]) each?.dispose();
  return { learnt, replays, taken };
}

Deno.test("the settings of a run follow its method", () => {
  const ownOf = (method: MethodName) => {
    const { temperature, targetMomentum, queue } = resolveConfig({ epochs: 1, method });
    return [temperature, targetMomentum, queue];
  };
  assertEquals<readonly string[]>(TRAINING.method.choices, Object.keys(METHODS));
  assertEquals(ownOf("moco"), [0.2, 0.999, 4096]);
  assertEquals([ownOf("byol"), ownOf("simclr")], [[undefined, 0.996, undefined], [0.5, undefined, undefined]]);
  assertEquals(ownOf("vicreg"), [undefined, undefined, undefined]);
});

Deno.test("Pretraining learns by every method", async () => {
  for (const method of Object.keys(METHODS) as MethodName[]) {
    const { learnt: { losses }, replays } = await train(method, { epochs: 2 });
    assert(losses.every(Number.isFinite) && losses.length === 2, `${method}: ${losses}`);
    assert(replays > 0, `${method} is replayed`);
  }
});

Deno.test("methods with a kernel stay finite where nothing is known of some samples", async () => {
  for (const method of ["decoupled_uniformity", "yaware", "cclk"] as const) {
    const rows = Float32Array.from({ length: 3 * SAMPLES }, (_, i) => i < 9 ? 0 : i % 4);
    const prior = tensor(rows, { shape: [SAMPLES, 3] });
    const { learnt } = await train(method, { epochs: 1, kernel: cosine() }, prior);
    assert(learnt.losses.every(Number.isFinite), `${method}: ${learnt.losses}`);
  }
});

for (
  const [method, config] of [
    ["moco", { ema: 0.9, clipGradNorm: 0.5, optimizer: "adamw", lr: 0.01, warmUp: 1 }],
    ["byol", { microBatch: 4 }],
  ] as const
) {
  Deno.test(`Pretraining by ${method} learns the same bits from replayed steps, which allocate and read back nothing`, async () => {
    const eager = await train(method, { ...config, compile: false });
    const replayed = await train(method, config);
    assertEquals(replayed.learnt, eager.learnt);
    assert(replayed.replays > 4, `${replayed.replays}`);
    // The one read-back of an epoch is that of its losses.
    assertEquals(replayed.taken.at(-1), { buffers: 0, bindGroups: 0, pipelines: 0, reads: 1 });
    assertEquals(eager.taken.at(-1), { buffers: 0, bindGroups: 0, pipelines: 0, reads: 1 });
  });
}

Deno.test("Pretraining in parts with the batch's statistics leaves the momentum encoder and queue of whole batches", async () => {
  const whole = await train("moco", { epochs: 2 });
  const parts = await train("moco", { epochs: 2, microBatch: 3, batchStatistics: "batch" });
  assertClose(parts.learnt.losses, whole.learnt.losses, { rtol: 1e-4 });
  for (const [name, { data }] of whole.learnt.beside) {
    assertClose(Array.from(parts.learnt.beside.get(name)!.data, Number), Array.from(data, Number), {
      rtol: 1e-3,
      atol: 1e-4,
    });
  }
});

Deno.test("Pretraining's momentum encoder follows weights and statistics, and its queue holds unit keys", async () => {
  const { learnt: { beside, state } } = await train("moco", { epochs: 1, targetMomentum: 0 });
  const follows = Object.entries(state as Record<string, unknown>).filter(([name]) => beside.has(`target.${name}`));
  assert(follows.length > 10);
  for (const [name, values] of follows) {
    assertEquals([...beside.get(`target.${name}`)!.data], [...values as number[]], name);
  }
  const queue = beside.get("queue")!;
  assertEquals([queue.shape, beside.get("queue_next")!.data], [[32, 32], BigInt64Array.of(32n)]);
  for (let row = 0; row < 32; row++) {
    const length = Math.hypot(...(queue.data as Float32Array).subarray(32 * row, 32 * row + 32));
    assert(Math.abs(length - 1) < 1e-5, `${length}`);
  }
});

Deno.test("Pretraining refuses what a method does not take, and wants what it needs", async () => {
  using source = new ResidentImages(device, smallDataset(SAMPLES).pixels!, recipe);
  using prior = normal([SAMPLES, 2], { key: key(1) });
  const kernel = rbf({ sigma: 1 });
  const refused = (
    config: Partial<PretrainConfig>,
    rule: string,
    wants: { prior?: Tensor; form?: MethodName } = {},
  ) => {
    const model = makeModel("tiny", { stem: "cifar", method: wants.form ?? config.method });
    const make = () => new Pretraining(model, { source, prior: wants.prior }, { ...BASE, ...config });
    assertThrows(make, Error, rule);
    model.dispose();
  };
  refused({ method: "dino" as never }, 'method must be "decoupled_uniformity" or "align_uniform" or', {
    form: "simclr",
  });
  refused({ method: "byol", kernel }, 'method "byol" takes no prior: got a prior; methods that take one are', {
    prior,
  });
  refused({ method: "yaware" }, 'method "yaware" needs a prior: got none');
  refused({ method: "yaware" }, "a prior needs a kernel: got none", { prior });
  refused({ method: "supcon", kernel }, 'method "supcon" takes classes as prior: got a kernel', { prior });
  refused({ method: "supcon" }, "the prior must be [16, 1]: got [16,2]", { prior });
  refused({ method: "vicreg", views: 3 }, 'method "vicreg" takes 2 views: got 3');
  refused({ method: "simclr", views: 1 }, 'method "simclr" takes at least 2 views: got 1');
  refused({ method: "byol", temperature: 0.1 }, 'method "byol" has no temperature: got 0.1');
  refused({ method: "simclr", queue: 64 }, 'method "simclr" has no queue: got 64');
  refused({ method: "moco", queue: 8 }, "queue must hold a batch of views, 16: got 8");
  refused({ method: "byol", targetMomentum: 1 }, "targetMomentum must be in [0, 1): got 1");
  refused({ method: "byol" }, "target must be given here, a model of the same network: got none");
  refused({ ema: 0.9 }, "average must be given here, a model of the same network: got none");
  refused({ average: makeModel("tiny", { stem: "cifar" }) }, "average must be given only where it is used");
  refused({ method: "simsiam" }, 'method "simsiam" takes a model with a predictor: got one without', {
    form: "simclr",
  });
  refused({}, "takes a model without a predictor: got one with one", { form: "simsiam" });
  const target = makeModel("tiny", { stem: "cifar", method: "simsiam" });
  refused({ method: "moco", target }, 'both must be of one network: got "head.2.weight" in one alone');
  const { model, target: follower } = modelsFor("moco");
  const training = new Pretraining(model, { source }, { ...BASE, method: "moco", target: follower, queue: 32 });
  assertThrows(
    () => training.loadBeside(),
    TypeError,
    "as it must hold the momentum encoder: got a checkpoint without",
  );
  const beside = await training.readBeside();
  beside.delete("queue");
  assertThrows(() => training.loadBeside(beside), TypeError, "as it must hold the queue, of the same length");
  await assertRejects(async () => await Promise.resolve(model.predictParts([])), TypeError, "must have a predictor");
  for (const each of [training, model, follower, target]) each?.dispose();
});
