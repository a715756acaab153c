import { loadCustom, loadPublished, type PublishedName } from "../../src/cli/mod.ts";
import type { ImageDataset } from "../../src/data/mod.ts";

/** Names that `--db` takes. */
export const DATASETS = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"] as const;

/** Loads a part of a data set by its name, as its flags say: the images that the data set's own program trains on. */
export async function loadByName(
  db: string,
  root: string,
  part: "train" | "test",
  flags: Readonly<Record<string, unknown>>,
): Promise<ImageDataset> {
  if (db !== "custom") return await loadPublished(db as PublishedName, root, { split: part, flags });
  const images = await loadCustom(root, part, flags);
  if (images) return images;
  throw new Deno.errors.NotFound(`Cannot load "${root}": it must have folders "train" and "test" (or "val")`);
}
