// Pre-trains on a folder of one's own images: deno run -A examples/custom.ts --root PHOTOS [--help]
// With folders "train" and "test" (or "val") the latter is for evaluation; subfolders are classes. With a prior:
// --prior FILE.npz --kernel rbf --sigma S (--weaklabels takes train_prior.npz of --root)
import { pretrainMain, runMain } from "../src/cli/mod.ts";
import { loadFolder, loadPrior } from "../src/data/mod.ts";

await runMain((args) =>
  pretrainMain(args, {
    db: "custom",
    title: "a folder of images",
    stem: "imagenet",
    resolution: 224,
    recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
    demo: { kernel: "rbf", sigma: 1, weaklabels: true },
    loadPrior: (root, dataset) => loadPrior(`${root}/train_prior.npz`, dataset),
    load: async (root, { split }) => {
      const isFolder = (name: string) => Deno.stat(`${root}/${name}`).then((info) => info.isDirectory, () => false);
      const train = await isFolder("train");
      if (split === "train") return await loadFolder(train ? `${root}/train` : root);
      const heldOut = await isFolder("test") ? "test" : await isFolder("val") ? "val" : null;
      return train && heldOut ? await loadFolder(`${root}/${heldOut}`, { split: heldOut }) : null;
    },
  })
);
