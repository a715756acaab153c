import type { ViewParameters } from "./parameters.ts";
import { blurWindow, type Recipe } from "./recipe.ts";
import type { Render } from "./render.ts";

/** Work that some recipes, or given parameters in place of their random ones, ask for. */
export function workOf(recipes: readonly [Recipe, ...Recipe[]], parameters?: readonly ViewParameters[]): Render {
  const of = parameters ? workOfParameters(parameters) : workOfRecipes(recipes);
  const blurred = recipes.find(({ blur }) => blur) ?? recipes[0];
  const reach = Math.min((blurWindow(blurred) - 1) / 2, blurred.size - 1); // the default may be wider than a tiny view
  return { ...of, reach: of.blur ? reach : of.solarize ? 0 : null };
}

/** Steps that any view may have. */
type Steps = Omit<Render, "reach"> & { readonly blur: boolean; readonly solarize: boolean };

function workOfRecipes(recipes: readonly Recipe[]): Steps {
  return {
    rotate: recipes.some(({ rotation, affine }) => rotation > 0 || affine !== undefined),
    color: recipes.some(({ jitter, grayscale }) => Boolean(jitter) || grayscale > 0),
    contrast: recipes.some(({ jitter }) => (jitter?.contrast ?? 0) > 0),
    blur: recipes.some(({ blur }) => (blur?.p ?? 0) > 0),
    solarize: recipes.some(({ solarize }) => (solarize?.p ?? 0) > 0),
  };
}

function workOfParameters(parameters: readonly ViewParameters[]): Steps {
  return {
    rotate: parameters.some(({ angle = 0, translate, scale, shear }) => angle !== 0 || translate || scale || shear),
    color: parameters.some(({ jitter, grayscale }) => jitter || grayscale),
    contrast: parameters.some(({ jitter }) => jitter?.contrast !== undefined),
    blur: parameters.some(({ blur = 0 }) => blur > 0),
    solarize: parameters.some(({ solarize = null }) => solarize !== null),
  };
}
