// Pre-trains on UT-Zappos50K with its attributes as prior: deno run -A examples/utzappos.ts [--help]
// At the original's sigma of 100 its attributes are nearly all alike: look at the retained variance in the report.
import { DATASET_FLAGS, loadPublished, pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadUtZapposAttributes } from "../src/data/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "utzappos",
    title: "UT-Zappos50K",
    stem: "cifar",
    resolution: 32,
    recipe: {
      network: "resnet18",
      epochs: 1000,
      batch_size: 256,
      optimizer: "sgd",
      lr: 0.3,
      kernel: "rbf",
      sigma: 100,
      weaklabels: true,
    },
    demo: { sigma: 1 },
    imageSize: { height: 102, width: 136 },
    flags: DATASET_FLAGS.utzappos,
    load: (root, options) => loadPublished("utzappos", root, options),
    loadPrior: loadUtZapposAttributes,
  })
);
