// Pre-trains on ImageNet-100: deno run -A examples/imagenet100.ts [--help]
// With BigBiGAN's features as prior: --kernel rbf --sigma 100 --prior imagenet100_prior.npz
import { DATASET_FLAGS, loadPublished, pretrainMain, runMain } from "../src/cli/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "imagenet100",
    title: "ImageNet-100",
    stem: "imagenet",
    resolution: 224,
    recipe: { network: "resnet50", epochs: 400, batch_size: 256, optimizer: "lars", lr: 0.3, wd: 1e-6 },
    flags: DATASET_FLAGS.imagenet100,
    load: (root, options) => loadPublished("imagenet100", root, options),
  })
);
