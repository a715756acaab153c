// Pre-trains on CheXpert with GLoRIA's features as prior: deno run -A examples/chexpert.ts [--help]
import { pretrainMain, runMain } from "../src/cli/mod.ts";
import { type CheXpertView, loadCheXpert } from "../src/data/mod.ts";

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
    flags: {
      views: { type: "string", help: "views to keep, of PA,AP,L,LL,RL,UNKNOWN (default: all)", group: "Data" },
    },
    load: (root, { split, flags, ...options }) =>
      loadCheXpert(root, {
        ...options,
        split: split === "train" ? "train" : "valid",
        views: (flags.views as string | undefined)?.split(",") as CheXpertView[] | undefined,
      }),
  })
);
