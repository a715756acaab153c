import { Tensor, tensor, tidy } from "../../tensor/mod.ts";
import { checkOptions } from "../../tensor/internal.ts";
import { chooseViews, type ViewsKey } from "./choose.ts";
import { type Images, locateImages, type Source } from "./images.ts";
import { uploadParameters, type ViewParameters } from "./parameters.ts";
import { checkRecipes, type Recipe, type Recipes } from "./recipe.ts";
import { workOf } from "./work.ts";
import { renderViews } from "./render.ts";

/** Options of {@linkcode augment}: samples, random numbers, and recipe. */
export interface AugmentOptions {
  /**
   * The samples of the batch: positions in the data set, `u32 [batch]` or numbers. They pick the images of a resident
   * tensor, and name the samples of packed images for the random numbers.
   */
  indices: Tensor | ArrayLike<number>;
  /**
   * Recipe of the views, or one for each in turn, which begin anew at their end: asymmetric views, as BYOL's. They may
   * differ in all but size, normalisation, interpolations and the blur's window.
   */
  recipe: Recipes;
  /** Views of each sample; 2 by default. */
  views?: number;
  /** Number of the first view, for the random numbers: further views of a multi-crop continue those before; 0 by default. */
  firstView?: number;
  /** Epoch of the training, an integer in [0, 2³²); 0 by default. */
  epoch?: number;
  /** Seed of the run, an integer in [0, 2⁵³); 0 by default. */
  seed?: number;
  /** Parameters to use instead of random ones, sample by sample: `batch * views` of them. */
  parameters?: readonly ViewParameters[];
}

/**
 * Makes augmented views of a batch on the device: cut and resized with antialiasing, rotated (or shifted, scaled and sheared), flipped, colours jittered
 * in random order, grayed, blurred, solarized, normalised.
 *
 * The random numbers depend on (seed, epoch, sample, view) alone: a view is the same in any batch, order, worker or
 * rank. The transforms are torchvision's, on floats in [0, 1]; Pillow, which works on bytes, rounds to 1/255 after each
 * of them, clips what bicubic interpolation overshoots and rotates about a point half a pixel off.
 *
 * @param images `u8 [n, h, w, c]` resident on the device, c = 1 or 3, or the packed images of the batch.
 * @param options Samples, random numbers, recipe.
 * @returns Views `[batch, views, size, size, c]`, f32. A view of an index that has no image is NaN (an index given as a
 *   number is checked before).
 * @throws {TypeError} If images or indices have another shape or dtype, colours are asked of one channel, or a number of
 *   parameters does not match.
 * @throws {RangeError} If an index, epoch, seed, number of views or a value of the recipe is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { augment, naturalRecipe } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const images = tensor(new Uint8Array(10 * 32 * 32 * 3), { shape: [10, 32, 32, 3] });
 * const recipe = naturalRecipe({ size: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
 * const views = augment(images, { indices: [3, 1, 4], recipe, epoch: 1, seed: 0 });
 * assertEquals(views.shape, [3, 2, 32, 32, 3]);
 * ```
 *
 * @see torchvision's `RandomResizedCrop`, `RandomRotation`, `RandomAffine`, `RandomHorizontalFlip`, `ColorJitter`, `RandomGrayscale`,
 *   `GaussianBlur`, `RandomSolarize`, `Normalize`.
 */
export function augment(images: Images, options: AugmentOptions): Tensor<"f32"> {
  checkOptions("augment()", options, [...NAMES, "parameters"]);
  const { parameters } = options;
  const recipes = checkRecipes(options.recipe);
  const recipe: Recipe = recipes[0];
  const views = options.views ?? 2;
  return withSamples(images, options, (source, samples, key) => {
    const work = workOf(recipes, parameters);
    if (work.color && source.channels !== 3) {
      throw new TypeError("Cannot augment() as colour steps need 3 channels: got images of 1 channel");
    }
    if (!parameters) return renderViews(source, samples, chooseViews(source, samples, recipes, key), recipe, work);
    if (parameters.length !== samples.shape[0]! * views) {
      throw new TypeError(
        `Cannot augment() as there must be parameters for ${
          samples.shape[0]
        } x ${views} views: got ${parameters.length}`,
      );
    }
    const choices = uploadParameters(parameters, recipe.size, samples.device);
    return renderViews(source, samples, choices, recipe, work);
  });
}

/**
 * Draws the parameters that {@linkcode augment} would use, without making views; `readParameters()` reads them.
 *
 * @returns `[batch * views, 24]`, f32.
 * @throws {TypeError} If images or indices have another shape or dtype.
 * @throws {RangeError} If an index, epoch, seed, number of views or a value of the recipe is out of range.
 */
export function sampleViews(images: Images, options: Omit<AugmentOptions, "parameters">): Tensor<"f32"> {
  checkOptions("run sampleViews()", options, NAMES);
  const recipes = checkRecipes(options.recipe);
  return withSamples(images, options, (source, samples, key) => chooseViews(source, samples, recipes, key));
}

const NAMES = ["indices", "recipe", "views", "firstView", "epoch", "seed"] as const;

/** Checks everything, uploads indices given as numbers, and frees what `body` makes but for its result. */
function withSamples(
  images: Images,
  options: AugmentOptions,
  body: (source: Source, samples: Tensor, key: ViewsKey) => Tensor,
): Tensor<"f32"> {
  const { indices, views = 2, firstView = 0, epoch = 0, seed = 0 } = options;
  checkInteger("views", views, 1, 2 ** 32);
  checkInteger("firstView", firstView, 0, 2 ** 32 - views);
  checkInteger("epoch", epoch, 0, 2 ** 32);
  checkInteger("seed", seed, 0, 2 ** 53);
  const batch = indices instanceof Tensor ? indices.shape[0] ?? 0 : indices.length;
  const source = locateImages(images, batch);
  const { device } = source.bytes;
  if (indices instanceof Tensor) checkSamples(indices);
  else checkIndices(indices, source.table ? 2 ** 32 : source.params.images);
  return device.run("augment", [source.bytes.shape, [batch, views]], () =>
    tidy(() => {
      const samples = indices instanceof Tensor ? indices : tensor(Uint32Array.from(indices), { device });
      return body(source, samples, { seed, epoch, views, firstView }) as Tensor<"f32">;
    }));
}

function checkSamples(indices: Tensor): void {
  if (indices.dtype === "u32" && indices.rank === 1 && indices.size > 0) return;
  throw new TypeError(
    `Cannot augment() as indices must be u32 [batch], batch >= 1: got ${indices.dtype} [${indices.shape}]`,
  );
}

function checkIndices(indices: ArrayLike<number>, end: number): void {
  if (indices.length === 0) throw new TypeError("Cannot augment() as there must be at least one index: got none");
  for (let i = 0; i < indices.length; i++) checkInteger("every index", indices[i]!, 0, end);
}

function checkInteger(name: string, value: number, min: number, end: number): void {
  if (Number.isInteger(value) && value >= min && value < end) return;
  throw new RangeError(`Cannot augment() as ${name} must be an integer in [${min}, ${end}): got ${value}`);
}
