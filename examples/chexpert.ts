// Pre-trains on CheXpert with GLoRIA's features as prior: deno run -A examples/chexpert.ts [--help]
import { DATASET_FLAGS, loadPublished, pretrainMain, runMain } from "../src/cli/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "chexpert",
    title: "CheXpert",
    stem: "imagenet",
    resolution: 224,
    augmentation: "chexpert",
    recipe: {
      network: "resnet18",
      epochs: 400,
      batch_size: 1024,
      optimizer: "lars",
      lr: 0.5,
      wd: 1e-6,
      kernel: "rbf",
      sigma: 10,
      weaklabels: true,
    },
    demo: { kernel: undefined, weaklabels: false, optimizer: "sgd", lr: 0.3 },
    flags: DATASET_FLAGS.chexpert,
    load: (root, options) => loadPublished("chexpert", root, options),
  })
);
