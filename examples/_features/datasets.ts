import { loadPublished, type PublishedName } from "../../src/cli/mod.ts";
import { type ImageDataset, loadFolder } from "../../src/data/mod.ts";

/** Names that `--db` takes. */
export const DATASETS = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"] as const;

/** Loads a part of a data set by its name, as its flags say; of one's own folder, all of it. */
export function loadByName(
  db: string,
  root: string,
  part: "train" | "test",
  flags: Readonly<Record<string, unknown>>,
): Promise<ImageDataset> {
  return db === "custom" ? loadFolder(root) : loadPublished(db as PublishedName, root, { split: part, flags });
}
