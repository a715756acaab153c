import {
  type ImageDataset,
  loadCheXpert,
  loadCifar10,
  loadCifar100,
  loadCub200,
  loadFolder,
  loadImageNet100,
  loadUtZappos,
} from "../../src/data/mod.ts";

/** Names that `--db` takes. */
export const DATASETS = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"] as const;

/** Loads a part of a data set by its name; of one's own folder, all of it. */
export function loadByName(db: string, root: string, part: "train" | "test"): Promise<ImageDataset> {
  switch (db) {
    case "cifar10":
      return loadCifar10(root, { split: part });
    case "cifar100":
      return loadCifar100(root, { split: part });
    case "imagenet100":
      return loadImageNet100(root, { split: part === "train" ? "train" : "val" });
    case "cub200":
      return loadCub200(root, { split: part });
    case "utzappos":
      return loadUtZappos(root, { split: part });
    case "chexpert":
      return loadCheXpert(root, { split: part === "train" ? "train" : "valid" });
    default:
      return loadFolder(root);
  }
}
