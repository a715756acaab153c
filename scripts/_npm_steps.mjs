// Trains a few steps and prints the losses as one line of JSON: the same in Deno and, from npm's package, in Node.
import { backward, Device, keep, key, scope, tensor, uniform } from "@decoupled/uniformity";
import { augment, naturalRecipe } from "@decoupled/uniformity/augment";
import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
import { decoupledUniformity } from "@decoupled/uniformity/losses";
import { contrastive, ResNet } from "@decoupled/uniformity/nn";
import { SGD } from "@decoupled/uniformity/optim";

const gpu = globalThis.navigator?.gpu ?? (await import("webgpu")).create(["backend=vulkan"]);
const device = await Device.open({ gpu });
const bytes = Uint8Array.from({ length: 8 * 8 * 8 * 3 }, (_, i) => (i * i) % 256);
const images = keep(tensor(bytes, { shape: [8, 8, 8, 3] }));
const prior = keep(uniform([8, 5], { key: key(3) }));
const network = new ResNet({ block: "basic", layers: [1, 1, 1], widths: [8, 16, 16] }, {
  stem: "cifar",
  numClasses: 16,
  key: key(5),
});
const model = contrastive(network, { projection: 16 });
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
console.log(JSON.stringify(losses));
device.close();
(globalThis.process ?? globalThis.Deno).exit(0);
