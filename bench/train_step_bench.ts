import { backward, Device, keep, key, scope, uniform } from "../mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, resnet18 } from "../src/nn/mod.ts";
import { SGD } from "../src/optim/mod.ts";

const device = await Device.open();
const model = contrastive(resnet18({ stem: "cifar" }));
const optimizer = new SGD(model.parameters(), { lr: 0.003 });
const views = keep(uniform([8, 2, 32, 32, 3], { key: key(0), low: -1 }));

function step(): number {
  using _ = scope();
  const loss = keep(decoupledUniformity(model.forward(views)));
  backward(loss);
  optimizer.step();
  losses.push(loss);
  return losses.length;
}

// Right first: the loss of one batch falls.
const losses: ReturnType<typeof decoupledUniformity>[] = [];
for (let i = 0; i < 3; i++) step();
const [first, , third] = await Promise.all(losses.map((loss) => loss.item()));
if (!(third! < first!)) throw new Error(`The loss does not fall: ${first} to ${third}`);

Deno.bench("ResNet-18 (CIFAR stem) training step, 16 images of 32 px (68 GFLOP)", { n: 3, warmup: 1 }, async () => {
  step();
  losses.pop()!.dispose();
  await device.done();
});
