// Pre-trains on UT-Zappos50K with its attributes as prior: deno run -A examples/utzappos.ts [--help]
// At the original's sigma of 100 its attributes are nearly all alike: look at the retained variance in the report.
import { pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadUtZappos, loadUtZapposAttributes } from "../src/data/mod.ts";

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
    flags: {
      train_list: { type: "string", help: "CSV of the training images (default: in --root)", group: "Data" },
      train_fraction: { type: "number", min: 0, max: 1, help: "without a list: part for training", group: "Data" },
    },
    load: (root, { flags, ...options }) =>
      loadUtZappos(root, {
        ...options,
        trainList: flags.train_list as string | undefined,
        trainFraction: flags.train_fraction as number | undefined,
      }),
    loadPrior: loadUtZapposAttributes,
  })
);
