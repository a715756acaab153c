import {
  type CheXpertView,
  type ImageDataset,
  loadCheXpert,
  loadCifar10,
  loadCifar100,
  loadCub200,
  loadImageNet100,
  loadUtZappos,
  type ObtainOptions,
} from "../data/mod.ts";
import type { Flag } from "./arguments.ts";
import { UsageError } from "./flags.ts";

/** Published data sets by the names that `--db` takes. */
export type PublishedName = "cifar10" | "cifar100" | "imagenet100" | "cub200" | "utzappos" | "chexpert";

/** Flags that only one data set has, which say what belongs to it: the same in every program. */
export const DATASET_FLAGS = {
  imagenet100: {
    class_list: {
      type: "string",
      help: "file of the classes of imagenet100 (default: imagenet100.txt)",
      group: "Data",
    },
  },
  utzappos: {
    train_list: { type: "string", help: "CSV of the training images of utzappos (default: in --root)", group: "Data" },
    train_fraction: {
      type: "number",
      min: 0,
      max: 1,
      help: "utzappos without a list: part for training",
      group: "Data",
    },
  },
  custom: {
    labels: {
      type: "string",
      choices: ["subfolders", "none"],
      help: "whether the subfolders of custom's images are classes (default: where all images are in some)",
      group: "Data",
    },
  },
  chexpert: {
    views: {
      type: "string",
      help: "views of chexpert to keep, of PA,AP,L,LL,RL,UNKNOWN (default: all)",
      group: "Data",
    },
  },
} as const satisfies Partial<Record<PublishedName | "custom", Record<string, Flag>>>;

/** The flags of all published data sets, for programs that take any of them. */
export const ALL_DATASET_FLAGS:
  & typeof DATASET_FLAGS.imagenet100
  & typeof DATASET_FLAGS.utzappos
  & typeof DATASET_FLAGS.chexpert = {
    ...DATASET_FLAGS.imagenet100,
    ...DATASET_FLAGS.utzappos,
    ...DATASET_FLAGS.chexpert,
  };

/** Options of {@linkcode loadPublished}. */
export interface PublishedOptions extends ObtainOptions {
  /** Training images, or those for evaluation (`val`, `valid`). */
  readonly split: "train" | "test";
  /** Values of the program's flags, of which those of the data set are read. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/**
 * Refuses flags of another data set.
 *
 * @throws {UsageError} If one is given.
 */
export function checkDatasetFlags(db: string, flags: Readonly<Record<string, unknown>>): void {
  for (const [owner, own] of Object.entries(DATASET_FLAGS)) {
    const given = Object.keys(own).find((name) => flags[name] !== undefined);
    if (owner !== db && given) throw new UsageError(`Cannot use --${given} with --db ${db}: it is for ${owner}`);
  }
}

/** Loads a part of a published data set as its flags say. */
export async function loadPublished(
  db: PublishedName,
  root: string,
  { split, flags = {}, ...options }: PublishedOptions,
): Promise<ImageDataset> {
  const text = (name: string) => flags[name] as string | undefined;
  switch (db) {
    case "cifar10":
      return await loadCifar10(root, { split, ...options });
    case "cifar100":
      return await loadCifar100(root, { split, ...options });
    case "cub200":
      return await loadCub200(root, { split, ...options });
    case "utzappos":
      return await loadUtZappos(root, {
        ...options,
        split,
        trainList: text("train_list"),
        trainFraction: flags.train_fraction as number | undefined,
      });
    case "imagenet100":
      return await loadImageNet100(root, {
        ...options,
        split: split === "train" ? "train" : "val",
        classList: text("class_list"),
      });
    case "chexpert":
      return await loadCheXpert(root, {
        split: split === "train" ? "train" : "valid",
        views: text("views")?.split(",").map((view) => view.trim()) as CheXpertView[] | undefined,
        ...labelPolicy(text("chexpert_uncertain")),
      });
  }
}

/** Maps a policy to the values of labels that a report calls uncertain, and of those it does not mention. */
function labelPolicy(name: string | undefined) {
  const policies = {
    ignore: { uncertain: "nan", blank: "nan" },
    zeros: { uncertain: "zero", blank: "zero" },
    ones: { uncertain: "one", blank: "zero" },
    gloria: { uncertain: "gloria", blank: "zero" },
  } as const;
  return policies[(name ?? "ignore") as keyof typeof policies];
}
