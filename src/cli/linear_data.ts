import { type ImageDataset, type ObtainOptions, takeStratified } from "../data/mod.ts";
import { hasFolder, loadCustom } from "./custom_data.ts";
import { loadPublished, type PublishedName } from "./dataset_flags.ts";
import { UsageError } from "./flags.ts";
import type { LinearFlags } from "./linear_flags.ts";

/** Training and test images of a linear evaluation. */
export interface LinearData {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  /** Pathologies to evaluate; null: the classes. */
  readonly columns: readonly string[] | null;
}

/** Loads both parts of a data set. */
export async function loadLinearData(flags: LinearFlags, root: string, options: ObtainOptions): Promise<LinearData> {
  const [train, test] = [await load(flags, root, "train", options), await load(flags, root, "test", options)];
  const cut = (dataset: ImageDataset) => flags.limit === undefined ? dataset : takeStratified(dataset, flags.limit);
  return { train: cut(train), test: cut(test), columns: columnsOf(flags, train) };
}

async function load(
  flags: LinearFlags,
  root: string,
  split: "train" | "test",
  options: ObtainOptions,
): Promise<ImageDataset> {
  if (flags.db !== "custom") return await loadPublished(flags.db as PublishedName, root, { ...options, split, flags });
  const found = await hasFolder(root, "train") ? await loadCustom(root, split, { labels: "subfolders" }) : null;
  if (found) return found;
  throw new Deno.errors.NotFound(
    `Cannot evaluate on "${root}": it must have folders "train" and "test" (or "val") with a folder for each class`,
  );
}

function columnsOf({ chexpert_label }: LinearFlags, { classes, name }: ImageDataset): readonly string[] | null {
  if (chexpert_label === undefined) return null;
  if (chexpert_label === "all") return classes;
  const byName = new Map(classes.map((each) => [each.toLowerCase(), each]));
  return chexpert_label.split(",").map((label) => {
    const known = byName.get(label.trim().toLowerCase());
    if (known) return known;
    throw new UsageError(
      `Cannot read --chexpert_label as it must be "all" or some of ${
        classes.join(", ")
      }: got "${label.trim()}" (${name})`,
    );
  });
}
