/**
 * Augmented views on the GPU, without the readers of files: packed images in, normalised crops out.
 *
 * @module
 */
export { augment, type AugmentOptions, sampleViews } from "./augment.ts";
export { type Images, type PackedImages, packImages } from "./images.ts";
export { type ColorStep, readParameters, type ViewParameters } from "./parameters.ts";
export {
  type CenterCrop,
  chexpertRecipe,
  type ColorJitter,
  evalTransform,
  naturalRecipe,
  type RandomCrop,
  type Recipe,
  type RecipeOptions,
} from "./recipe.ts";
