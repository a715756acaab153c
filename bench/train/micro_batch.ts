// What it costs to divide a batch: a step at once, in parts with their own statistics, and in parts with those of the batch.
// Interleaved, so that ratios hold on a busy machine: deno run -A bench/train/micro_batch.ts [samples] [network] [px]
import { Device, keep, key, scope, type Tensor, uniform } from "../../mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { MetricRing } from "../../src/train/mod.ts";
import { Objective } from "../../src/train/objective.ts";
import { resolveConfig } from "../../src/train/resolve.ts";
import { TrainingSteps } from "../../src/train/training_step.ts";
import { SGD } from "../../src/optim/mod.ts";

const [samples = 16, network = "resnet18", px = 32] = [
  Number(Deno.args[0] ?? 16),
  Deno.args[1],
  Number(Deno.args[2] ?? 32),
];
const VIEWS = 2;
const ROUNDS = 5;

await using device = await Device.open();
const agreed = { counts: [samples], trains: true, stop: false };

/** A step on so many parts; its time and peak memory. */
function stepper(count: number, joint: boolean) {
  const model = makeModel(network, { stem: px < 100 ? "cifar" : "imagenet", device });
  const optimizer = new SGD(model.parameters(), { lr: 0.03 });
  const metrics = new MetricRing(device, ["loss", "centroid_square"], 1000);
  const steps = new TrainingSteps({
    ...{ objective: new Objective(model, resolveConfig({ epochs: 1 }), null), optimizer, metrics },
    ...{ compile: true, joint },
  });
  const parts: Tensor[] = Array.from(
    { length: count },
    (_, i) => keep(uniform([samples / count, VIEWS, px, px, 3], { key: key(i), device })),
  );
  const times: number[] = [];
  let peak = 0;
  return {
    parts: count,
    joint,
    async run(measured: boolean): Promise<void> {
      await device.done();
      device.resetPeakMemory();
      const before = device.memory.live;
      const start = performance.now();
      {
        using _ = scope();
        await steps.run({ parts, prior: null, agreed });
      }
      await device.done();
      if (measured) times.push(performance.now() - start);
      peak = device.memory.peak - before;
    },
    median: () => times.toSorted((a, b) => a - b)[times.length >> 1]!,
    peak: () => peak / 1e6,
  };
}

const all = [stepper(1, false), stepper(2, false), stepper(4, false), stepper(2, true), stepper(4, true)];
for (let round = -3; round < ROUNDS; round++) for (const each of all) await each.run(round >= 0);
console.log(`${network}, ${samples} x ${VIEWS} views of ${px} px on ${device.info.description}; medians of ${ROUNDS}`);
const [whole] = all;
for (const each of all) {
  const how = each.parts === 1
    ? "at once"
    : `${each.parts} parts, statistics of ${each.joint ? "the batch" : "each part"}`;
  console.log(
    `${how.padEnd(36)} ${each.median().toFixed(0).padStart(7)} ms  ${(each.median() / whole!.median()).toFixed(2)}x  ` +
      `${each.peak().toFixed(0).padStart(6)} MB at the peak beside weights and views`,
  );
}
