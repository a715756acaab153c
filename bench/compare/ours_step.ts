import { backward, compile, Device, keep, scope, tensor } from "../../mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { contrastive, resnet18 } from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { type Arrays, STEP, stepImages, type Trainer } from "./resnet18.ts";

/** Prepares this library, and the weights that it starts from. */
export async function oursTrainer(): Promise<{ trainer: Trainer; arrays: Arrays }> {
  await Device.open();
  const model = contrastive(resnet18({ stem: "cifar" }));
  const named = [...model.namedParameters()];
  const arrays: Record<string, Arrays[string]> = {};
  for (const [name, each] of named) arrays[name] = { shape: each.shape, data: await each.data() as Float32Array };
  const optimizer = new SGD(model.parameters(), { lr: STEP.lr });
  const { images, size } = STEP;
  const views = keep(tensor(stepImages(), { shape: [images / 2, 2, size, size, 3] }));
  const step = compile(() => {
    const loss = decoupledUniformity(model.forward(views));
    backward(loss);
    optimizer.step();
    return loss;
  });
  const trainer: Trainer = {
    name: "uniformity",
    async step() {
      using _ = scope();
      return await step().item();
    },
  };
  return { trainer, arrays };
}
