// Pre-trains on CUB-200-2011 with its attributes as prior: deno run -A examples/cub200.ts [--help]
import { loadPublished, pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadCubAttributes } from "../src/data/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "cub200",
    title: "CUB-200-2011",
    stem: "imagenet",
    resolution: 224,
    recipe: {
      network: "resnet18",
      epochs: 1000,
      batch_size: 256,
      optimizer: "sgd",
      lr: 0.3,
      kernel: "rbf",
      sigma: 20,
      weaklabels: true,
    },
    demo: { sigma: 1 },
    load: (root, options) => loadPublished("cub200", root, options),
    loadPrior: loadCubAttributes,
  })
);
