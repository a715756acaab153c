import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { concat, Device, scope } from "../../mod.ts";
import { multiCrop, ResidentImages, unpackViews } from "../../src/data/mod.ts";
import { decoupledUniformityMetrics } from "../../src/losses/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { pretrain, type PretrainConfig, Pretraining } from "../../src/train/mod.ts";
import { smallDataset, stateOf } from "./_small.ts";

const device = await Device.open();
const { pixels, mean, std } = smallDataset(12);
const RECIPES = { ...multiCrop({ size: 16, localSize: 8, mean, std }), localViews: 4 };
const CONFIG = { epochs: 5, batchSize: 12, lr: 0.05, printEvery: 1 } as const;

/** Losses of a run on views of two sizes, its weights, and its replays. */
async function train(given: Partial<PretrainConfig> = {}) {
  using source = new ResidentImages(device, pixels, RECIPES);
  const model = makeModel("tiny", { stem: "cifar" });
  const run = new Pretraining(model, { source }, { ...CONFIG, ...given });
  const losses: number[] = [];
  for await (const { loss } of run.reports()) losses.push(loss);
  const [weights, { replays }] = [await stateOf(model), run];
  for (const each of [run, model]) each.dispose();
  return { losses, weights, replays };
}

Deno.test("pretrain() takes the loss of local crops together with the others', normalised by their size", async () => {
  const { losses: [first], replays } = await train();
  assertEquals(replays, 2); // of five steps
  using source = new ResidentImages(device, pixels, RECIPES);
  const model = makeModel("tiny", { stem: "cifar" }).train();
  const order = Uint32Array.from({ length: 12 }, (_, i) => i); // the loss does not depend on the order
  for await (const { views } of source.batches({ order, sizes: [12], epoch: 0, seed: 0, views: 2 })) {
    using _ = scope();
    const parts = unpackViews(views!, { views: 2, size: 16 }, source.local!);
    const { loss } = decoupledUniformityMetrics(concat(parts.map((part) => model.forward(part)), 1));
    assertAlmostEquals(await loss.item(), first!, 1e-4);
  }
  model.dispose();
});

Deno.test("local crops come in parts, replayed or not, as in one piece", async () => {
  const whole = await train();
  const joint = await train({ microBatch: 5, batchStatistics: "batch" });
  whole.losses.forEach((loss, i) => assertAlmostEquals(joint.losses[i]!, loss, 1e-3));
  const [divided, eager] = [await train({ microBatch: 5 }), await train({ microBatch: 5, compile: false })];
  assertEquals([divided.losses, divided.weights], [eager.losses, eager.weights]);
});

Deno.test("local crops count as views of a method", async () => {
  using source = new ResidentImages(device, pixels, RECIPES);
  const model = makeModel("tiny", { stem: "cifar" });
  await assertRejects(
    () => pretrain(model, { source }, { ...CONFIG, method: "align_uniform" }).next(),
    RangeError,
    'Cannot pretrain() as method "align_uniform" takes 2 views: got 6',
  );
  model.dispose();
});
