// Pre-trains on CIFAR-100: deno run -A examples/cifar100.ts [--help]
import { pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadCifar100 } from "../src/data/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "cifar100",
    title: "CIFAR-100",
    stem: "cifar",
    resolution: 32,
    recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
    load: loadCifar100,
  })
);
