import {
  chexpertRecipe,
  type ImageDataset,
  multiCrop,
  naturalRecipe,
  publishedRecipes,
  type ViewRecipes,
  withLocalCrops,
} from "../../data/mod.ts";
import { cosine, type Kernel, linearKernel, rbf } from "../../kernels/mod.ts";
import type { PretrainConfig } from "../../train/mod.ts";
import { patchOf } from "../../methods/internal.ts";
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

/**
 * The augmentation of a data set's views, with local crops where they are asked for.
 *
 * @throws {TypeError} If `local_size` is given without `local_crops`.
 * @throws {RangeError} If patches of the network do not divide `local_size`.
 */
export function recipeOf(
  { mean, std }: Pick<ImageDataset, "mean" | "std">,
  settings: Pick<JobSettings, "augment" | "augmentation" | "resolution" | "network" | "local_crops" | "local_size">,
): ViewRecipes {
  const { augment, augmentation, resolution: size, local_crops: views, local_size: given } = settings;
  if (views === 0 && given !== null) throw new TypeError(`Cannot use --local_size without --local_crops: got ${given}`);
  const options = { size, mean, std };
  const localSize = views === 0 ? 0 : localSizeOf(settings);
  if (views > 0 && augment === "dino") return { ...multiCrop({ ...options, localSize }), localViews: views };
  const global = augment !== "original"
    ? publishedRecipes(augment, options)
    : augmentation === "chexpert"
    ? chexpertRecipe(options)
    : naturalRecipe(options);
  return views > 0 ? withLocalCrops(global, { views, size: localSize }) : global;
}

/** Side of local crops, px: 3/7 of that of the others unless told, as DINO's 96 of 224. */
function localSizeOf({ network, resolution, local_size: given }: Parameters<typeof recipeOf>[1]): number {
  const patch = network.startsWith("vit_") ? patchOf(network) : 1;
  const size = given ?? patch * Math.max(1, Math.round(resolution * 3 / 7 / patch));
  if (size % patch === 0) return size;
  throw new RangeError(
    `Cannot use --local_size ${size} as it must be a multiple of the ${patch} px of ${network}'s patches`,
  );
}

/** Translates the settings of a job into those of the training loop. */
export function trainingConfig(settings: JobSettings): PretrainConfig {
  const faithfulLars = settings.lars === "faithful";
  return { ...trainingOptions(settings), faithfulLars, lr: initialLr(settings), kernel: kernelOf(settings) };
}
