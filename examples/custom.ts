// Pre-trains on a folder of one's own images: deno run -A examples/custom.ts --root PHOTOS [--help]
// With folders "train" and "test" (or "val") the latter is for evaluation; subfolders are classes. With a prior:
// --prior FILE.npz --kernel rbf --sigma S (--weaklabels takes custom_prior.npz of --root, as make_features.ts writes it)
import { DATASET_FLAGS, loadCustom, pretrainMain, runMain } from "../src/cli/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "custom",
    title: "a folder of images",
    stem: "imagenet",
    resolution: 224,
    recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
    demo: { kernel: "rbf", sigma: 1, weaklabels: true },
    flags: DATASET_FLAGS.custom,
    load: (root, { split, flags }) => loadCustom(root, split, flags),
  })
);
