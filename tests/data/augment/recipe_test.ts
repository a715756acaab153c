import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  augment,
  chexpertRecipe,
  evalTransform,
  multiCrop,
  naturalRecipe,
  publishedRecipes,
  type Recipe,
  RECIPE_NAMES,
  type RecipeName,
} from "../../../src/data/augment/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { zeros } from "../../../src/tensor/mod.ts";

await Device.open();

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
const RECIPE = naturalRecipe({ size: 13, mean: MEAN, std: STD });

Deno.test("publishedRecipes() and multiCrop() have what the papers say", () => {
  const options = { size: 224, mean: MEAN, std: STD };
  const of = (name: RecipeName) => publishedRecipes(name, options);
  for (const name of RECIPE_NAMES) for (const { size, mean } of of(name)) assertEquals([size, mean], [224, MEAN]);
  assertEquals(of("simclr").map(({ blur, jitter }) => [blur?.p, jitter?.brightness]), [[0.5, 0.8]]);
  assertEquals(of("moco").map(({ crop, jitter }) => [crop, jitter?.saturation]), [
    [{ kind: "random", scale: [0.2, 1], ratio: [3 / 4, 4 / 3] }, 0.4],
  ]);
  assertEquals(of("byol").map(({ blur, solarize }) => [blur?.p, solarize?.p ?? 0]), [[1, 0], [0.1, 0.2]]);
  assertEquals(of("radiograph").map((r) => [r.rotation, r.rotationInterpolation, r.jitter?.hue]), [[
    10,
    "bilinear",
    0,
  ]]);
  const { global, local } = multiCrop({ ...options, split: 0.25 });
  assertEquals(global.map(({ crop }) => crop.kind === "random" && crop.scale), [[0.25, 1], [0.25, 1]]);
  assertEquals([local.size, local.blur?.p, local.crop.kind === "random" && local.crop.scale], [96, 0.5, [0.05, 0.25]]);
  assertThrows(
    () => publishedRecipes("randaugment" as RecipeName, options),
    RangeError,
    'Cannot find a recipe as its name must be one of simclr, moco, byol, dino, radiograph: got "randaugment"',
  );
});

Deno.test("recipes throw on values out of range", () => {
  const cases: [() => Recipe, string][] = [
    [() => naturalRecipe({ size: 0 }), "size must be an integer >= 1: got 0"],
    [() => naturalRecipe({ size: 4, std: [0] }), "std must be > 0: got 0"],
    [() => naturalRecipe({ size: 4, std: [1e-40] }), "std must be > 0: got 1e-40"], // 0 as an f32
    [() => naturalRecipe({ size: 4, std: [1e39] }), "std must be > 0: got 1e+39"],
    [() => chexpertRecipe({ mean: [NaN] }), "mean must be finite: got NaN"],
    [() => evalTransform({ size: 4, resize: [3, 0] }), "resize must be integers >= 1: got [3,0]"],
  ];
  for (const [make, message] of cases) assertThrows(make, RangeError, `Cannot use a recipe as ${message}`);
  const jitter = { p: 1, brightness: 0, contrast: 0, saturation: 0, hue: 0 };
  const broken: [Partial<Recipe>, string][] = [
    [{ flip: 2 }, "flip must be in [0, 1]: got 2"],
    [{ grayscale: -1 }, "grayscale must be in [0, 1]: got -1"],
    [{ rotation: 181 }, "rotation must be in [0, 180] degrees: got 181"],
    [
      { crop: { kind: "random", scale: [0.5, 1.1], ratio: [1, 1] } },
      "scale must be 0 < min <= max <= 1: got [0.5,1.1]",
    ],
    [{ crop: { kind: "random", scale: [0.5, 1], ratio: [2, 1] } }, "ratio must be 0 < min <= max: got [2,1]"],
    [{ jitter: { ...jitter, p: 3 } }, "jitter.p must be in [0, 1]: got 3"],
    [{ jitter: { ...jitter, contrast: -1 } }, "contrast must be >= 0: got -1"],
    [{ jitter: { ...jitter, hue: 0.6 } }, "hue must be in [0, 0.5]: got 0.6"],
    [{ affine: { translate: [0.1, 1.1] } }, "affine.translate must be in [0, 1]: got [0.1,1.1]"],
    [{ affine: { scale: [0, 1] } }, "affine.scale must be 0 < min <= max: got [0,1]"],
    [{ affine: { scale: [1, NaN] } }, "affine.scale must be 0 < min <= max: got [1,NaN]"],
    [{ affine: { shear: 90 } }, "affine.shear must be -90 < min <= max < 90 degrees: got [-90,90,0,0]"],
    [{ affine: { shear: [5, -5] } }, "affine.shear must be -90 < min <= max < 90 degrees: got [5,-5,0,0]"],
    [{ blur: { p: 2, sigma: [1, 2] } }, "blur.p must be in [0, 1]: got 2"],
    [{ blur: { p: 1, sigma: [0, 2] } }, "blur.sigma must be 0 < min <= max: got [0,2]"],
    [{ blur: { p: 1, sigma: [1, 2], kernelSize: 4 } }, "blur.kernelSize must be odd and < 2 size: got 4"],
    [{ blur: { p: 1, sigma: [1, 2], kernelSize: 27 } }, "blur.kernelSize must be odd and < 2 size: got 27"],
    [{ solarize: { p: -1, threshold: 0 } }, "solarize.p must be in [0, 1]: got -1"],
    [{ solarize: { p: 1, threshold: 2 } }, "solarize.threshold must be in [0, 1]: got 2"],
  ];
  for (const [change, message] of broken) {
    assertThrows(
      () => augment(zeros([1, 9, 9, 3], { dtype: "u8" }), { indices: [0], recipe: { ...RECIPE, ...change } }),
      RangeError,
      `Cannot use a recipe as ${message}`,
    );
  }
  assert(chexpertRecipe().size === 224);
});
