import { chexpertRecipe, type ImageDataset, naturalRecipe, publishedRecipes, type Recipes } from "../../data/mod.ts";
import { cosine, type Kernel, linearKernel, rbf } from "../../kernels/mod.ts";
import type { PretrainConfig } from "../../train/mod.ts";
import { trainingOptions } from "../../train/internal.ts";
import type { JobSettings } from "./settings.ts";

/**
 * The learning rate of the first epoch, as the original scales it: `lr · batch / 256`, and `lr · 0.075 · √batch` on
 * ImageNet-100 (there, SimCLR's rule on top of a base of 0.3, which gives 0.36 at a batch of 256).
 */
export function initialLr({ db, lr, batch_size }: Pick<JobSettings, "db" | "lr" | "batch_size">): number {
  return db === "imagenet100" ? lr * 0.075 * Math.sqrt(batch_size) : lr * batch_size / 256;
}

/** The kernel that the settings name. */
export function kernelOf({ kernel, sigma }: Pick<JobSettings, "kernel" | "sigma">): Kernel | undefined {
  if (kernel === null) return undefined;
  if (kernel === "cosine") return cosine();
  if (kernel === "linear") return linearKernel();
  if (sigma === null) throw new TypeError("Cannot use --kernel rbf without --sigma: got none");
  return rbf({ sigma });
}

/** The augmentation of a data set's views. */
export function recipeOf(
  { mean, std }: ImageDataset,
  { augment, augmentation, resolution: size }: JobSettings,
): Recipes {
  if (augment !== "original") return publishedRecipes(augment, { size, mean, std });
  return augmentation === "chexpert" ? chexpertRecipe({ size, mean, std }) : naturalRecipe({ size, mean, std });
}

/** Translates the settings of a job into those of the training loop. */
export function trainingConfig(settings: JobSettings): PretrainConfig {
  const faithfulLars = settings.lars === "faithful";
  return { ...trainingOptions(settings), faithfulLars, lr: initialLr(settings), kernel: kernelOf(settings) };
}
