import { affineRules, type RandomAffine } from "./affine.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Random crop of a view: torchvision's `RandomResizedCrop`. */
export interface RandomCrop {
  /** Names the kind. */
  readonly kind: "random";
  /** Smallest and largest part of the image's area, in (0, 1]. */
  readonly scale: readonly [number, number];
  /** Smallest and largest ratio of width to height. */
  readonly ratio: readonly [number, number];
}

/** Centre crop of a view, for evaluation: torchvision's `Resize` and `CenterCrop`. */
export interface CenterCrop {
  /** Names the kind. */
  readonly kind: "center";
  /** Length of the shorter side in px, or height and width, that the image is resized to before the middle is cut. */
  readonly resize?: number | readonly [number, number];
}

/** torchvision's `ColorJitter`, applied with a probability. */
export interface ColorJitter {
  /** Probability, in [0, 1]. */
  readonly p: number;
  /** Factors in [max(0, 1 − brightness), 1 + brightness]; 0 leaves the step out, here and below. */
  readonly brightness: number;
  /** Factors in [max(0, 1 − contrast), 1 + contrast]. */
  readonly contrast: number;
  /** Factors in [max(0, 1 − saturation), 1 + saturation]. */
  readonly saturation: number;
  /** Turns of the hue in [−hue, hue], hue in [0, 0.5]. */
  readonly hue: number;
}

/** torchvision's `GaussianBlur`, applied with a probability. */
export interface Blur {
  /** Probability, in [0, 1]. */
  readonly p: number;
  /** Smallest and largest standard deviation, px. */
  readonly sigma: readonly [number, number];
  /** Side of the window, px, odd; an odd number near a tenth of the view's size by default, as SimCLR's. */
  readonly kernelSize?: number;
}

/** torchvision's `RandomSolarize`: values from a threshold on are inverted. */
export interface Solarize {
  /** Probability, in [0, 1]. */
  readonly p: number;
  /** Threshold, in [0, 1]. */
  readonly threshold: number;
}

/**
 * Transformation of an image, in this order: crop, affine map with its rotation, flip, colour jitter, grayscale, blur, solarize,
 * normalisation.
 */
export interface Recipe {
  /** Height and width of a view, px. */
  readonly size: number;
  /** Crop of the image. */
  readonly crop: RandomCrop | CenterCrop;
  /** Interpolation of the resize; always antialiased where the image shrinks. */
  readonly interpolation: "bilinear" | "bicubic";
  /** Rotation in [−rotation, rotation] degrees, black outside; 0 for none. */
  readonly rotation: number;
  /** Shift, scale and shear, in one map with the rotation: torchvision's `RandomAffine`; none when absent. */
  readonly affine?: RandomAffine;
  /** Interpolation of rotation and affine map; to the nearest pixel, torchvision's default, when absent. */
  readonly rotationInterpolation?: "nearest" | "bilinear";
  /** Probability of a horizontal flip. */
  readonly flip: number;
  /** Colour jitter; none when absent. */
  readonly jitter?: ColorJitter;
  /** Probability of turning gray. */
  readonly grayscale: number;
  /** Gaussian blur; none when absent. */
  readonly blur?: Blur;
  /** Inversion of bright values; none when absent. */
  readonly solarize?: Solarize;
  /** Mean subtracted from each channel, in [0, 1] units; 0 when absent. */
  readonly mean?: readonly number[];
  /** Divides each channel; 1 when absent. */
  readonly std?: readonly number[];
}

/** Size and normalisation of a recipe. */
export interface RecipeOptions {
  /** Height and width of a view, px. */
  size: number;
  /** Mean of each channel, in [0, 1] units; none is subtracted when absent. */
  mean?: readonly number[];
  /** Standard deviation of each channel; 1 when absent. */
  std?: readonly number[];
}

/**
 * The augmentation of natural images: random resized crop (area 0.08 to 1, ratio 3/4 to 4/3, bilinear), flip, colour
 * jitter (0.8, 0.8, 0.8, 0.2) with probability 0.8, grayscale with probability 0.2, normalisation; no blur.
 *
 * @param options Size in px, mean and standard deviation.
 * @throws {RangeError} If `size` is not an integer ≥ 1, or a `std` is not > 0.
 *
 * @example Usage
 * ```ts
 * import { naturalRecipe } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * const recipe = naturalRecipe({ size: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
 * assertEquals(recipe.jitter?.p, 0.8);
 * ```
 */
export function naturalRecipe(options: RecipeOptions): Recipe {
  checkOptions("make naturalRecipe()", options, ["size", "mean", "std"]);
  return checkRecipe({
    crop: { kind: "random", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
    interpolation: "bilinear",
    rotation: 0,
    flip: 0.5,
    jitter: { p: 0.8, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
    grayscale: 0.2,
    ...options,
  });
}

/**
 * The augmentation of chest radiographs: random resized crop (bicubic), rotation by up to 45 degrees, flip,
 * normalisation by mean 0.5024 and standard deviation 0.2898 unless told otherwise.
 *
 * @param options Size in px (224 by default), mean and standard deviation.
 * @throws {RangeError} If `size` is not an integer ≥ 1, or a `std` is not > 0.
 */
export function chexpertRecipe(options: Partial<RecipeOptions> = {}): Recipe {
  checkOptions("make chexpertRecipe()", options, ["size", "mean", "std"]);
  return checkRecipe({
    size: 224,
    crop: { kind: "random", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
    interpolation: "bicubic",
    rotation: 45,
    flip: 0.5,
    grayscale: 0,
    mean: [0.5024],
    std: [0.2898],
    ...options,
  });
}

/**
 * Returns the recipe of evaluation: an optional resize (bilinear), the middle, normalisation; nothing random.
 *
 * @param options Size in px, mean, standard deviation, and `resize`: length of the shorter side, or height and width, px.
 * @throws {RangeError} If `size` or `resize` are not integers ≥ 1, or a `std` is not > 0.
 *
 * @example The validation transform of ImageNet
 * ```ts
 * import { evalTransform } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * const recipe = evalTransform({ size: 224, resize: 256, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
 * assertEquals(recipe.crop, { kind: "center", resize: 256 });
 * ```
 */
export function evalTransform(options: RecipeOptions & { resize?: CenterCrop["resize"] }): Recipe {
  checkOptions("make evalTransform()", options, ["size", "mean", "std", "resize"]);
  const { resize, ...rest } = options;
  const crop: CenterCrop = resize === undefined ? { kind: "center" } : { kind: "center", resize };
  return checkRecipe({ crop, interpolation: "bilinear", rotation: 0, flip: 0, grayscale: 0, ...rest });
}

/**
 * Checks the ranges of a recipe and returns it.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkRecipe(recipe: Recipe): Recipe {
  const { crop, jitter } = recipe;
  check(isSize(recipe.size), "size must be an integer >= 1", recipe.size);
  for (const std of recipe.std ?? []) check(isPositive(std), "std must be > 0", std);
  for (const mean of recipe.mean ?? []) check(Number.isFinite(Math.fround(mean)), "mean must be finite", mean);
  checkEnds(recipe);
  const chances = { flip: recipe.flip, grayscale: recipe.grayscale, ...jitter && { "jitter.p": jitter.p } };
  for (const [name, p] of Object.entries(chances)) check(p >= 0 && p <= 1, `${name} must be in [0, 1]`, p);
  check(recipe.rotation >= 0 && recipe.rotation <= 180, "rotation must be in [0, 180] degrees", recipe.rotation);
  for (const [holds, rule, value] of affineRules(recipe.affine ?? {})) check(holds, rule, value);
  if (crop.kind === "random") {
    check(isRange(crop.scale) && crop.scale[1] <= 1, "scale must be 0 < min <= max <= 1", crop.scale);
    check(isRange(crop.ratio), "ratio must be 0 < min <= max", crop.ratio);
  } else if (crop.resize !== undefined) {
    check([crop.resize].flat().every(isSize), "resize must be integers >= 1", crop.resize);
  }
  if (jitter) {
    const { brightness, contrast, saturation, hue } = jitter;
    for (const [name, reach] of Object.entries({ brightness, contrast, saturation })) {
      check(reach === 0 || isPositive(reach), `${name} must be >= 0`, reach);
    }
    check(hue >= 0 && hue <= 0.5, "hue must be in [0, 0.5]", hue);
  }
  return recipe;
}

/** Side of the window of a recipe's blur, px. */
export function blurWindow({ size, blur }: Recipe): number {
  return blur?.kernelSize ?? 2 * Math.max(1, Math.floor(size / 20)) + 1;
}

/** Checks what comes after the colours. */
function checkEnds(recipe: Recipe): void {
  const { blur, solarize, size } = recipe;
  const chances = { ...blur && { "blur.p": blur.p }, ...solarize && { "solarize.p": solarize.p } };
  for (const [name, p] of Object.entries(chances)) check(p >= 0 && p <= 1, `${name} must be in [0, 1]`, p);
  if (solarize) {
    const { threshold } = solarize;
    check(threshold >= 0 && threshold <= 1, "solarize.threshold must be in [0, 1]", threshold);
  }
  if (!blur) return;
  check(isRange(blur.sigma), "blur.sigma must be 0 < min <= max", blur.sigma);
  const window = blurWindow(recipe);
  check(isSize(window) && window % 2 === 1 && window < 2 * size, "blur.kernelSize must be odd and < 2 size", window);
}

/** The recipe of all views, or one for each in turn. */
export type Recipes = Recipe | readonly Recipe[];

/** Values that the recipes of one batch have in common, by their names. */
const SHARED = {
  size: ({ size }: Recipe) => size,
  interpolation: ({ interpolation }: Recipe) => interpolation,
  rotationInterpolation: ({ rotationInterpolation = "nearest" }: Recipe) => rotationInterpolation,
  mean: ({ mean = [0] }: Recipe) => mean,
  std: ({ std = [1] }: Recipe) => std,
} as const;

/**
 * Checks recipes of the views of one batch, and returns them as a list.
 *
 * @throws {RangeError} If one is out of range, there is none, or they differ in what a batch has in common.
 */
export function checkRecipes(given: Recipes): readonly [Recipe, ...Recipe[]] {
  const [first, ...rest] = [given].flat() as Recipe[];
  if (first === undefined) throw new RangeError("Cannot augment() as there must be at least one recipe: got none");
  for (const recipe of [first, ...rest]) checkRecipe(recipe);
  const windows = [first, ...rest].filter(({ blur }) => blur).map(blurWindow);
  const shared = Object.entries(SHARED).map(([name, of]) =>
    [name, [first, ...rest].map((each) => `${of(each)}`)] as const
  );
  for (const [name, values] of [...shared, ["blur.kernelSize", windows.map(String)] as const]) {
    const other = values.find((value) => value !== values[0]);
    if (other === undefined) continue;
    throw new RangeError(`Cannot augment() as recipes must have one ${name}: got ${values[0]} and ${other}`);
  }
  return [first, ...rest];
}

function isSize(size: number): boolean {
  return Number.isInteger(size) && size >= 1;
}

function isRange([low, high]: readonly [number, number]): boolean {
  return isPositive(low) && high >= low && isPositive(high);
}

/** Whether a number is > 0 and finite as an f32, which the shaders read. */
function isPositive(value: number): boolean {
  const held = Math.fround(value);
  return held >= 2 ** -126 && held < Infinity;
}

function check(holds: boolean, rule: string, value: number | readonly number[]): void {
  if (holds) return;
  throw new RangeError(`Cannot use a recipe as ${rule}: got ${typeof value === "number" ? value : `[${value}]`}`);
}
