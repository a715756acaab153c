import type { DemoName, ImageDataset, LoadedPrior, ObtainOptions } from "../data/mod.ts";
import type { Stem } from "../nn/mod.ts";
import type { Flag } from "./arguments.ts";
import type { TableSettings } from "./setting_flags.ts";

/** Options of a program's loader. */
export interface LoadOptions extends ObtainOptions {
  /** Part of the data set. */
  readonly split: "train" | "test";
  /** Values of the program's own flags. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Settings of the original for a data set; those that are absent are of the table `SETTINGS`. */
export interface PretrainRecipe extends Partial<TableSettings> {
  /** Network by torchvision's name. */
  readonly network: string;
  /** Passes over the data. */
  readonly epochs: number;
  /** Whether the data set's attributes or features are the prior; false by default. */
  readonly weaklabels?: boolean;
}

/** Description of a pre-training program: a data set and the original's recipe for it. */
export interface PretrainProgram {
  /** Name of the data set, and of its demo. */
  readonly db: DemoName;
  /** Name of the data set for people. */
  readonly title: string;
  /** First layers of the network. */
  readonly stem: Stem;
  /** Side of the crops, px. */
  readonly resolution: number;
  /** Augmentation; that of natural images by default. */
  readonly augmentation?: "natural" | "chexpert";
  /** The original's settings. */
  readonly recipe: PretrainRecipe;
  /** Settings of a demo, in place of the recipe's. */
  readonly demo?: Partial<PretrainRecipe>;
  /** Flags that only this program has. */
  readonly flags?: Readonly<Record<string, Flag>>;
  /** Size of all images, px, where they have one: they are then decoded once when the device can hold them. */
  readonly imageSize?: { readonly height: number; readonly width: number };
  /** Loads a part of the data set; null where there is no such part. */
  load(root: string, options: LoadOptions): Promise<ImageDataset | null>;
  /** Loads the prior of the training images where `--prior` names no file; by default `<root>/<db>_prior.npz`. */
  loadPrior?(root: string, dataset: ImageDataset): Promise<LoadedPrior>;
}
