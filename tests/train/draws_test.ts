import { assertEquals, assertNotEquals } from "@std/assert";
import { Device } from "../../mod.ts";
import { naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { type Backbone, contrastive, ConvNext, Vit } from "../../src/nn/mod.ts";
import { captureCheckpoint, decodeCheckpoint, encodeCheckpoint, restoreCheckpoint } from "../../src/checkpoints/mod.ts";
import { Pretraining } from "../../src/train/mod.ts";
import { smallDataset, stateOf } from "./_small.ts";

const device = await Device.open();
const recipe = naturalRecipe({ size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const OPTIONS = { numClasses: 8, dropPath: 0.5 };
const NETWORKS: Readonly<Record<string, () => Backbone>> = {
  vit: () => new Vit({ dim: 8, heads: 2, depth: 2, patchSize: 8, imageSize: 16 }, OPTIONS),
  convnext: () => new ConvNext({ depths: [1, 1], dims: [4, 8], layerScale: 1 }, OPTIONS),
};
const CONFIG = { epochs: 4, batchSize: 8, lr: 0.01, printEvery: 100, optimizer: "adamw" } as const;

/** Trains from a checkpoint, or the start, to the end or that of an epoch; gives the weights and the next checkpoint. */
async function train(make: () => Backbone, { from, until = CONFIG.epochs, drawn = true }: {
  from?: Uint8Array<ArrayBuffer>;
  until?: number;
  drawn?: boolean;
}) {
  using source = new ResidentImages(device, smallDataset(16).pixels!, recipe);
  const model = contrastive(make(), { projection: 4 });
  const checkpoint = from && await decodeCheckpoint(from);
  const start = checkpoint?.position ?? undefined;
  const training = new Pretraining(model, { source }, { ...CONFIG, start });
  if (checkpoint) {
    restoreCheckpoint(checkpoint, model, training.optimizer);
    training.loadBeside(drawn ? checkpoint.beside : undefined);
  }
  let position = { epoch: 0, step: 0 };
  for await (const { next, epochDone } of training.reports()) {
    position = next;
    if (epochDone && next.epoch === until) break;
  }
  const notes = { network: null, config: {}, optimizerKind: "adamw", beside: await training.readBeside() };
  const bytes = await encodeCheckpoint(await captureCheckpoint(model, training.optimizer, { ...notes, position }));
  const result = { bytes, weights: await stateOf(model), draws: [...model.namedDraws()].map(([, { count }]) => count) };
  training.dispose();
  model.dispose();
  return result;
}

for (const [name, make] of Object.entries(NETWORKS)) {
  Deno.test(`a resumed run with stochastic depth draws what an uninterrupted one does: ${name}`, async () => {
    const whole = await train(make, {});
    const half = await train(make, { until: 2 });
    const resumed = await train(make, { from: half.bytes });
    assertEquals(resumed.draws, whole.draws);
    assertEquals(resumed.weights, whole.weights);
    const before = await train(make, { from: half.bytes, drawn: false }); // as a checkpoint of before they were kept
    assertNotEquals(before.weights, whole.weights);
    const { weights, beside } = await decodeCheckpoint(half.bytes);
    assertEquals([...weights.keys()].filter((each) => each.includes("draws")), []);
    assertEquals([...beside?.keys() ?? []].every((each) => each.startsWith("draws.encoder.")), true);
  });
}
