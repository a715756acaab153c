// Pre-trains on CIFAR-100: deno run -A examples/cifar100.ts [--help]
import { loadPublished, pretrainMain, runMain } from "../src/cli/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "cifar100",
    title: "CIFAR-100",
    stem: "cifar",
    resolution: 32,
    recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
    load: (root, options) => loadPublished("cifar100", root, options),
  })
);
