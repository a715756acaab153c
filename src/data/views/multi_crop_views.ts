import { concat, reshape, slice } from "../../ops/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { augment, type Images, type Recipe, type Recipes } from "../augment/mod.ts";
import type { EpochPlan, SizedViews } from "./view_source.ts";

/** Recipes of views of two sizes, as `multiCrop()` gives them, and how many local ones a sample has. */
export interface MultiCropRecipes {
  /** Recipe of the views of full size, or one for each in turn. */
  readonly global: Recipes;
  /** Recipe of the local views. */
  readonly local: Recipe;
  /** Local views of a sample, ≥ 1. */
  readonly localViews: number;
}

/** Recipes that views are made by: of one size, or of two. */
export type ViewRecipes = Recipes | MultiCropRecipes;

/**
 * Adds local crops to the recipes of a method: the last of them, of another size and of 0.05 to 0.4 of the area.
 *
 * @param local Local views of a sample and their side, px.
 * @throws {RangeError} If there is no local view.
 *
 * @example Usage
 * ```ts
 * import { naturalRecipe, withLocalCrops } from "@decoupled/uniformity/data";
 * import { assertEquals } from "@std/assert";
 *
 * const { global, local } = withLocalCrops(naturalRecipe({ size: 32 }), { views: 4, size: 16 });
 * assertEquals([[global].flat().length, local.size], [1, 16]);
 * ```
 *
 * @see Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", arXiv:2006.09882.
 */
export function withLocalCrops(global: Recipes, { views, size }: SizedViews): MultiCropRecipes {
  if (!(Number.isInteger(views) && views >= 1)) {
    throw new RangeError(`Cannot add local crops as their number must be an integer >= 1: got ${views}`);
  }
  const crop = { kind: "random", scale: [0.05, 0.4], ratio: [3 / 4, 4 / 3] } as const;
  return { global, local: { ...[global].flat().at(-1)!, size, crop }, localViews: views };
}

/** Makes the views of samples by recipes: of one size as they are, of two sizes in rows of one tensor. */
export class ViewMaker {
  /** Side of the views, px. */
  readonly size: number;
  /** Local views of a sample; absent where all views are of one size. */
  readonly local?: SizedViews;
  #global: Recipes;
  #local: Recipe | null = null;

  constructor(recipes: ViewRecipes) {
    const both = "global" in recipes ? recipes : null;
    this.#global = both ? both.global : recipes as Recipes;
    this.size = [this.#global].flat()[0]!.size;
    if (!both) return;
    this.#local = both.local;
    this.local = { views: both.localViews, size: both.local.size };
  }

  /** Shape of what a sample's views are, of which some have the full size. */
  shape(views: number): number[] {
    const { size, local } = this;
    return local ? [valuesOf({ views, size }) + valuesOf(local)] : [views, size, size, 3];
  }

  /** Makes the views of some images: `[batch, views, h, w, 3]`, or `[batch, values]` for {@linkcode unpackViews}. */
  make(images: Images, indices: Tensor | readonly number[], { epoch, seed, views }: EpochPlan): Tensor {
    const global = augment(images, { indices, epoch, seed, views, recipe: this.#global });
    if (!this.local || !this.#local) return global;
    const count = this.local.views;
    using local = augment(images, { indices, epoch, seed, views: count, firstView: views, recipe: this.#local });
    using held = global;
    return concat([held, local].map((each) => reshape(each, [each.shape[0]!, -1])), 1);
  }
}

/**
 * Splits packed rows into the views of full size and the local views.
 *
 * @param packed What the source made, `[batch, values]`.
 * @param global Views of full size of a sample and their side, px.
 * @param local Local views of a sample and their side, px.
 * @returns The views of full size and the local ones, `[batch, views, h, w, 3]`.
 */
export function unpackViews(packed: Tensor, global: SizedViews, local: SizedViews): [Tensor, Tensor] {
  const batch = packed.shape[0]!;
  const border = valuesOf(global);
  const part = (range: { start?: number; stop?: number }, { views, size }: SizedViews) =>
    reshape(slice(packed, [{}, range]), [batch, views, size, size, 3]);
  return [part({ stop: border }, global), part({ start: border }, local)];
}

/** Counts the values of a sample's views of one size. */
export function valuesOf({ views, size }: SizedViews): number {
  return views * size * size * 3;
}
