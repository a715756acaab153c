import type { ImageDataset } from "../../data/mod.ts";
import { classCounts } from "../../eval/internal.ts";

/**
 * Score of a k-NN evaluation by chance: the share of the most frequent class, 0.5 for areas where images have several
 * labels; null without labels.
 */
export function chanceOf({ labels, classes }: Pick<ImageDataset, "labels" | "classes">): number | null {
  if (labels === null) return null;
  if (!(labels instanceof Int32Array)) return 0.5;
  return classCounts(labels, classes.length).reduce((a, b) => Math.max(a, b), 0) / labels.length;
}
