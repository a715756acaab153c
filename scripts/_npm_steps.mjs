// Trains a few steps and prints the losses as one line of JSON: the same in Deno and, from npm's package, in Node.
import { backward, Device, keep, key, scope, tensor, uniform } from "@decoupled/uniformity";
import { augment, naturalRecipe } from "@decoupled/uniformity/augment";
import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
import { decoupledUniformity } from "@decoupled/uniformity/losses";
import { contrastive, ResNet } from "@decoupled/uniformity/nn";
import { SGD } from "@decoupled/uniformity/optim";
import {
  captureCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  Pretraining,
  restoreCheckpoint,
} from "@decoupled/uniformity/train";
import { ResidentImages } from "@decoupled/uniformity/views";

const gpu = globalThis.navigator?.gpu ?? (await import("webgpu")).create(["backend=vulkan"]);
const device = await Device.open({ gpu });
const bytes = Uint8Array.from({ length: 8 * 8 * 8 * 3 }, (_, i) => (i * i) % 256);
const images = keep(tensor(bytes, { shape: [8, 8, 8, 3] }));
const prior = keep(uniform([8, 5], { key: key(3) }));
const layout = { block: "basic", layers: [1, 1, 1], widths: [8, 16, 16] };
const makeModel = () => contrastive(new ResNet(layout, { stem: "cifar", numClasses: 16, seed: 5 }), { projection: 16 });
const model = makeModel();
const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
const recipe = naturalRecipe({ size: 8, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const losses = [];
for (let epoch = 0; epoch < 3; epoch++) {
  const step = scope();
  const views = augment(images, { indices: [0, 1, 2, 3, 4, 5, 6, 7], recipe, epoch });
  const weights = centroidWeights(prior, { kernel: rbf({ sigma: 1 }), ridge: 0.01 });
  const loss = decoupledUniformity(model.forward(views), { weights });
  backward(loss);
  optimizer.step();
  losses.push(await loss.item());
  step[Symbol.dispose]();
}

// The training loop on images in memory; after two of four epochs it goes on from a checkpoint in memory.
const config = { epochs: 4, batchSize: 4, lr: 0.05, printEvery: 1, kernel: rbf({ sigma: 1 }) };
async function train(start, checkpoint) {
  const model = makeModel();
  const source = new ResidentImages(device, { data: bytes, height: 8, width: 8 }, recipe);
  const run = new Pretraining(model, { source, prior }, { ...config, start });
  if (checkpoint) restoreCheckpoint(await decodeCheckpoint(checkpoint), model, run.optimizer);
  const seen = [];
  let kept;
  for await (const { loss, epoch, epochDone, next: position } of run.reports()) {
    seen.push(loss);
    if (epoch !== 2 || !epochDone) continue; // epochs of reports count from 1
    const notes = { network: null, position, config: {}, optimizerKind: "sgd" };
    kept = await encodeCheckpoint(await captureCheckpoint(model, run.optimizer, notes));
  }
  for (const each of [run, source, model]) each.dispose();
  return { seen, kept };
}
const whole = await train({ epoch: 0, step: 0 });
const rest = await train({ epoch: 2, step: 0 }, whole.kept);
if (whole.seen.length !== 8 || rest.seen.some((loss, i) => loss !== whole.seen[4 + i])) {
  throw new Error(`Cannot go on from a checkpoint: got ${rest.seen} after ${whole.seen}`);
}
losses.push(...whole.seen);
console.log(JSON.stringify(losses));
device.close();
(globalThis.process ?? globalThis.Deno).exit(0);
