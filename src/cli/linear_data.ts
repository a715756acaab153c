import {
  type ImageDataset,
  loadCheXpert,
  loadCifar10,
  loadCifar100,
  loadCub200,
  loadFolder,
  loadImageNet100,
  loadUtZappos,
  type ObtainOptions,
  takeFirst,
} from "../data/mod.ts";
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
  const [train, test] = [await load(flags, root, true, options), await load(flags, root, false, options)];
  const cut = (dataset: ImageDataset) => flags.limit === undefined ? dataset : takeFirst(dataset, flags.limit);
  return { train: cut(train), test: cut(test), columns: columnsOf(flags, train) };
}

async function load(
  { db, chexpert_uncertain }: LinearFlags,
  root: string,
  training: boolean,
  options: ObtainOptions,
): Promise<ImageDataset> {
  const split = training ? "train" : "test";
  switch (db) {
    case "cifar10":
      return await loadCifar10(root, { split, ...options });
    case "cifar100":
      return await loadCifar100(root, { split, ...options });
    case "cub200":
      return await loadCub200(root, { split, ...options });
    case "utzappos":
      return await loadUtZappos(root, { split, ...options });
    case "imagenet100":
      return await loadImageNet100(root, { split: training ? "train" : "val" });
    case "chexpert":
      return await loadCheXpert(root, { split: training ? "train" : "valid", ...policy(chexpert_uncertain) });
    default:
      return await loadCustom(root, training);
  }
}

/** How a policy treats what a report says is uncertain, and what it does not mention. */
function policy(name: string) {
  const policies = {
    ignore: { uncertain: "nan", blank: "nan" },
    zeros: { uncertain: "zero", blank: "zero" },
    ones: { uncertain: "one", blank: "zero" },
    gloria: { uncertain: "gloria", blank: "zero" },
  } as const;
  return policies[name as keyof typeof policies];
}

async function loadCustom(root: string, training: boolean): Promise<ImageDataset> {
  const names = training ? ["train"] : ["test", "val"];
  for (const name of names) {
    const found = await Deno.stat(`${root}/${name}`).then((info) => info.isDirectory, () => false);
    if (found) return await loadFolder(`${root}/${name}`, { split: name, labels: true });
  }
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
