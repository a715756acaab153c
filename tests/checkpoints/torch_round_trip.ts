// Trains a ResNet-18 for two steps, saves it, and writes what it makes of fixed images, for torch_round_trip.py:
//   deno run -A tests/checkpoints/torch_round_trip.ts DIR && python3 tests/checkpoints/torch_round_trip.py DIR
import { backward, Device, key, noGrad, normal, scope, square, sum, type Tensor } from "../../mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { Linear } from "../../src/nn/mod.ts";
import { AdamW, SGD } from "../../src/optim/mod.ts";
import { captureCheckpoint, writeCheckpoint, writeTorchCheckpoint } from "../../src/checkpoints/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { readState } from "../../src/weights/mod.ts";
import { writeSafetensors } from "../../src/formats/mod.ts";

const folder = Deno.args[0]!;
await using _device = await Device.open();
const model = makeModel("resnet18", { stem: "cifar", seed: 3 });
const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
for (let step = 0; step < 2; step++) {
  using _ = scope();
  backward(decoupledUniformity(model.forward(normal([4, 2, 32, 32, 3], { key: key(1, step) }))));
  optimizer.step();
}
await Deno.mkdir(folder, { recursive: true });
const notes = { network: "resnet18", position: { epoch: 1, step: 0 }, config: { seed: 3 }, optimizerKind: "sgd" };
await writeCheckpoint(`${folder}/last.safetensors`, await captureCheckpoint(model, optimizer, notes));
await Deno.writeFile(`${folder}/encoder.safetensors`, writeSafetensors(await readState(model.encoder)));
model.eval();
const images = normal([4, 32, 32, 3], { key: key(2) });
const [features, embeddings] = noGrad(() => [model.encoder.forward(images), model.forward(images)]);
async function array(x: Tensor) {
  return { shape: [...x.shape], dtype: "f32", data: await x.data() as Float32Array<ArrayBuffer> } as const;
}
const values = { images: await array(images), features: await array(features!), embeddings: await array(embeddings!) };
await Deno.writeFile(`${folder}/values.safetensors`, writeSafetensors(values));

// And the state of an optimizer, as PyTorch's: a linear layer's two steps of AdamW.
const layer = new Linear({ inFeatures: 3, outFeatures: 2 });
const adamw = new AdamW(layer.parameters(), { lr: 0.05 });
function step(i: number) {
  using _ = scope();
  backward(sum(square(layer.forward(normal([4, 3], { key: key(7, i) })))));
  adamw.step();
}
step(0);
step(1);
const kept = { network: null, position: { epoch: 1, step: 0 }, config: {}, optimizerKind: "adamw" };
await writeTorchCheckpoint(`${folder}/adamw.pth`, await captureCheckpoint(layer, adamw, kept), { lr: 0.05 });
const x = normal([4, 3], { key: key(7, 2) });
const input = await array(x);
step(2);
const after = new Map([["x", input], ["weight", await array(layer.weight)], ["bias", await array(layer.bias!)]]);
await Deno.writeFile(`${folder}/adamw.safetensors`, writeSafetensors(after));
