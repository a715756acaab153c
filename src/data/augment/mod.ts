/**
 * Augmented views on the GPU, without the readers of files: packed images in, normalised crops out.
 *
 * @module
 */
export type { RandomAffine } from "./affine.ts";
export { augment, type AugmentOptions, sampleViews } from "./augment.ts";
export { type Images, type PackedImages, packImages } from "./images.ts";
export { type ColorStep, readParameters, type ViewParameters } from "./parameters.ts";
export {
  type MultiCrop,
  multiCrop,
  type MultiCropOptions,
  publishedRecipes,
  RECIPE_NAMES,
  type RecipeName,
} from "./published_recipes.ts";
export {
  type Blur,
  type CenterCrop,
  chexpertRecipe,
  type ColorJitter,
  evalTransform,
  naturalRecipe,
  type RandomCrop,
  type Recipe,
  type RecipeOptions,
  type Recipes,
  type Solarize,
} from "./recipe.ts";
