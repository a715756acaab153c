import { type Blur, checkRecipe, type ColorJitter, type Recipe, type RecipeOptions } from "./recipe.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Names of the recipes that {@linkcode publishedRecipes} knows. */
export const RECIPE_NAMES = ["simclr", "moco", "byol", "dino", "radiograph"] as const;

/** Name of a published recipe. */
export type RecipeName = (typeof RECIPE_NAMES)[number];

/** Recipes of a multi-crop: views that see most of an image, and small ones that see a part. */
export interface MultiCrop {
  /** Recipes of the two global views. */
  readonly global: readonly [Recipe, Recipe];
  /** Recipe of every local view. */
  readonly local: Recipe;
}

/** Size, px, and normalisation of the global and local views. */
export interface MultiCropOptions extends RecipeOptions {
  /** Height and width of a local view, px; 3/7 of `size` by default, as 96 of 224. */
  localSize?: number;
  /** Area of a global view at least and of a local view at most, in (0, 1]; 0.4 by default, DINO's for ResNets. */
  split?: number;
}

const JITTER: ColorJitter = { p: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 };
const SIGMA = [0.1, 2] as const;
const BRIGHT = 128 / 255; // Pillow's solarize turns bytes from 128 on

const NATURAL: Omit<Recipe, "size"> = {
  crop: { kind: "random", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
  interpolation: "bilinear",
  rotation: 0,
  flip: 0.5,
  jitter: JITTER,
  grayscale: 0.2,
};

const RECIPES: Readonly<Record<Exclude<RecipeName, "dino">, readonly Omit<Recipe, "size">[]>> = {
  simclr: [{
    ...NATURAL,
    jitter: { p: 0.8, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
    blur: { p: 0.5, sigma: SIGMA },
  }],
  moco: [{ ...NATURAL, crop: around(0.2), jitter: { ...JITTER, saturation: 0.4 }, blur: { p: 0.5, sigma: SIGMA } }],
  byol: [
    { ...NATURAL, interpolation: "bicubic", blur: { p: 1, sigma: SIGMA } },
    { ...NATURAL, interpolation: "bicubic", ...secondView(0.1) },
  ],
  radiograph: [{
    ...NATURAL,
    crop: around(0.6),
    rotation: 10,
    rotationInterpolation: "bilinear",
    jitter: { p: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0, hue: 0 },
    grayscale: 0,
    blur: { p: 0.5, sigma: [0.1, 3] },
  }],
};

/**
 * The recipes of a published method's views, for the `recipe` of {@linkcode augment}: one for all views, or one for each in
 * turn.
 *
 * - `simclr`: colour jitter of strength 1 and blur with probability 0.5.
 * - `moco`: MoCo v2's: weaker jitter (0.4, 0.4, 0.4, 0.1), crops from 0.2 of the area.
 * - `byol`: asymmetric: jitter (0.4, 0.4, 0.2, 0.1); the first view is always blurred; the second with probability 0.1, and
 *   solarized with probability 0.2. Resized bicubically.
 * - `dino`: the global views of {@linkcode multiCrop}.
 * - `radiograph`: crops from 0.6 of the area, rotations to 10 degrees (bilinear), brightness, contrast and blur, after ConVIRT.
 *
 * @param name The method.
 * @param options Size in px, mean and standard deviation.
 * @throws {RangeError} If there is no such recipe, `size` is not an integer ≥ 2, or a `std` is not > 0.
 *
 * @example Usage
 * ```ts
 * import { publishedRecipes } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * const [first, second] = publishedRecipes("byol", { size: 224 });
 * assertEquals([first?.blur?.p, second?.blur?.p, second?.solarize?.p], [1, 0.1, 0.2]);
 * ```
 *
 * @see Chen et al., arXiv:2002.05709 and 2003.04297; Grill et al., arXiv:2006.07733; Caron et al., arXiv:2104.14294; Zhang et
 *   al., arXiv:2010.00747.
 */
export function publishedRecipes(name: RecipeName, options: RecipeOptions): readonly Recipe[] {
  checkOptions("make publishedRecipes()", options, ["size", "mean", "std"]);
  if (name === "dino") return multiCrop(options).global;
  if (!Object.hasOwn(RECIPES, name)) {
    throw new RangeError(`Cannot find a recipe as its name must be one of ${RECIPE_NAMES.join(", ")}: got "${name}"`);
  }
  return RECIPES[name].map((recipe) => checkRecipe({ ...recipe, ...options }));
}

/**
 * DINO's multi-crop: two global views, the first always blurred, the second with probability 0.1 and solarized with 0.2, and
 * local ones, blurred with probability 0.5. Each size takes a call of {@linkcode augment}, whose `firstView` goes on counting.
 *
 * @param options Sizes in px, mean and standard deviation, and the area at which global views begin and local ones end.
 * @throws {RangeError} If a size is not an integer ≥ 2, `split` is not in (0.05, 1], or a `std` is not > 0.
 *
 * @example Six views of two sizes
 * ```ts
 * import { Device, zeros } from "@decoupled/uniformity";
 * import { augment, multiCrop } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const images = zeros([8, 32, 32, 3], { dtype: "u8" });
 * const crops = multiCrop({ size: 28 });
 * const globals = augment(images, { indices: [0, 1], recipe: crops.global, views: 2 });
 * const locals = augment(images, { indices: [0, 1], recipe: crops.local, views: 4, firstView: 2 });
 * assertEquals([globals.shape, locals.shape], [[2, 2, 28, 28, 3], [2, 4, 12, 12, 3]]);
 * ```
 *
 * @see Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", arXiv:2104.14294.
 */
export function multiCrop(options: MultiCropOptions): MultiCrop {
  checkOptions("make multiCrop()", options, ["size", "mean", "std", "localSize", "split"]);
  const { localSize = Math.round(options.size * 3 / 7), split = 0.4, ...rest } = options;
  const shared = { ...NATURAL, ...rest, interpolation: "bicubic" } as const;
  return {
    global: [
      checkRecipe({ ...shared, crop: around(split), blur: { p: 1, sigma: SIGMA } }),
      checkRecipe({ ...shared, crop: around(split), ...secondView(0.1) }),
    ],
    local: checkRecipe({
      ...{ ...shared, size: localSize, blur: { p: 0.5, sigma: SIGMA } },
      crop: { kind: "random", scale: [0.05, split], ratio: [3 / 4, 4 / 3] },
    }),
  };
}

function around(least: number): Recipe["crop"] {
  return { kind: "random", scale: [least, 1], ratio: [3 / 4, 4 / 3] };
}

function secondView(p: number): { blur: Blur; solarize: { p: number; threshold: number } } {
  return { blur: { p, sigma: SIGMA }, solarize: { p: 0.2, threshold: BRIGHT } };
}
