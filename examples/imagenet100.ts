// Pre-trains on ImageNet-100: deno run -A examples/imagenet100.ts [--help]
// With BigBiGAN's features as prior: --kernel rbf --sigma 100 --prior imagenet100_prior.npz
import { pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadImageNet100 } from "../src/data/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "imagenet100",
    title: "ImageNet-100",
    stem: "imagenet",
    resolution: 224,
    recipe: { network: "resnet50", epochs: 400, batch_size: 256, optimizer: "lars", lr: 0.3, wd: 1e-6 },
    flags: {
      class_list: {
        type: "string",
        help: "file of the 100 classes (default: imagenet100.txt in --root)",
        group: "Data",
      },
    },
    load: (root, { split, flags, ...options }) =>
      loadImageNet100(root, {
        ...options,
        split: split === "train" ? "train" : "val",
        classList: flags.class_list as string | undefined,
      }),
  })
);
