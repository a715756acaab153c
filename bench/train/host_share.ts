// Which part of a training step the host takes: deno run -A bench/train/host_share.ts [network] [batch] [steps]
// llvmpipe (Mesa 25) on 2 cores, other work paused, 2026-11-25:
//   tiny, batch 64: host 1.3 ms of 96.8 ms a step, 1.3 %
//   resnet18, batch 4: host 1.9 ms of 737.6 ms a step, 0.3 %
import { backward, compile, Device, keep, key, scope, Tensor, tensor } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { augment, naturalRecipe } from "../../src/data/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";

const [network = "resnet18", batch = "64", steps = "5"] = Deno.args;
await using device = await Device.open();
const model = makeModel(network, { stem: "cifar" });
const optimizer = new SGD(model.parameters(), { lr: 0.3 });
const count = Number(batch);
const bytes = Uint8Array.from(uniformNumbers(512 * 32 * 32 * 3, key(0)), (v) => 256 * v);
const images = keep(tensor(bytes, { shape: [512, 32, 32, 3] }));
const indices = keep(new Tensor(device, [count], { dtype: "u32" }));
const recipe = naturalRecipe({ size: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const learn = compile((views: Tensor) => {
  backward(decoupledUniformity(model.forward(views)));
  optimizer.step();
}, { check: "never" });
let [host, all] = [0, 0];
for (let step = -4; step < Number(steps); step++) {
  const start = performance.now();
  {
    using _ = scope();
    indices.write(Uint32Array.from({ length: count }, (_, i) => (i * 7 + step + 4) % 512));
    learn(augment(images, { indices, recipe, epoch: step + 4 }));
  }
  const recorded = performance.now();
  await device.done();
  if (step < 0) continue; // pipelines are compiled, buffers made, the step recorded
  host += recorded - start;
  all += performance.now() - start;
}
const per = (time: number) => (time / Number(steps)).toFixed(1);
console.log(
  `${network}, batch ${count}, ${device.info.description}: host ${per(host)} ms of ${per(all)} ms a step, ` +
    `${(100 * host / all).toFixed(1)} %`,
);
