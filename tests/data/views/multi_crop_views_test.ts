import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device, scope, slice, tensor } from "../../../mod.ts";
import {
  augment,
  multiCrop,
  publishedRecipes,
  ResidentImages,
  StreamedImages,
  unpackViews,
  UploadedImages,
  withLocalCrops,
} from "../../../src/data/mod.ts";
import { recipeOf } from "../../../src/jobs/mod.ts";
import { withFolder } from "../_helpers.ts";
import { SETTINGS, smallDataset } from "../../train/_small.ts";

const device = await Device.open();
const PLAN = { order: Uint32Array.of(4, 1, 3, 0, 2), sizes: [2, 3], epoch: 2, seed: 5, views: 2 };
const RECIPES = { ...multiCrop({ size: 8, localSize: 4 }), localViews: 3 };

Deno.test("sources make views of two sizes in one row, each as augment() makes it", async () => {
  const { pixels } = smallDataset(5);
  const all = tensor(pixels.data, { shape: [5, 16, 16, 3], device });
  await withFolder(async (folder) => {
    const { default: sharp } = await import("sharp");
    const paths = Array.from({ length: 5 }, (_, i) => `${folder}/${i}.png`);
    for (const [i, path] of paths.entries()) {
      const raw = { width: 16, height: 16, channels: 3 } as const;
      await sharp(pixels.data.subarray(i * 768, (i + 1) * 768), { raw }).png().toFile(path);
    }
    const files = { paths, decode: {}, evaluation: { resize: { shortSide: 16 }, centerCrop: 16 } };
    const { pixels: _, ...facts } = smallDataset(5);
    for (
      const source of [
        new ResidentImages(device, pixels, RECIPES),
        new UploadedImages(device, pixels, RECIPES),
        new StreamedImages(device, { ...facts, files }, RECIPES, { workers: 1 }),
      ]
    ) {
      assertEquals([source.size, source.local], [8, { views: 3, size: 4 }]);
      for await (const { rows, views } of source.batches(PLAN)) {
        using _ = scope();
        const [global, local] = unpackViews(views!, { views: 2, size: 8 }, source.local!);
        const shared = { indices: [...rows], epoch: 2, seed: 5 };
        for (
          const [made, wanted] of [
            [global, augment(all, { ...shared, views: 2, recipe: RECIPES.global })],
            [local, augment(all, { ...shared, views: 3, firstView: 2, recipe: RECIPES.local })],
          ] as const
        ) {
          assertEquals(made.shape, wanted.shape);
          const [a, b] = [await made.data(), await wanted.data()];
          a.forEach((value, i) => assertAlmostEquals(value, b[i]!, 1e-5));
        }
        const [one, other] = [0, 1].map((at) => slice(local, [{}, { start: at, stop: at + 1 }]));
        assertEquals([...await one!.data()].join() === [...await other!.data()].join(), false);
      }
      source.dispose();
    }
  });
});

Deno.test("withLocalCrops() keeps what a method does to colours", () => {
  const byol = publishedRecipes("byol", { size: 32 });
  const { global, local, localViews } = withLocalCrops(byol, { views: 4, size: 16 });
  assertEquals([global, localViews, local.size, local.blur, local.solarize], [
    byol,
    4,
    16,
    byol[1]!.blur,
    byol[1]!.solarize,
  ]);
  assertEquals(local.crop, { kind: "random", scale: [0.05, 0.4], ratio: [3 / 4, 4 / 3] });
  assertThrows(
    () => withLocalCrops(byol, { views: 0, size: 16 }),
    RangeError,
    "Cannot add local crops as their number must be an integer >= 1: got 0",
  );
});

Deno.test("recipeOf() gives local crops 3/7 of the side, in patches for a vision transformer", () => {
  const dataset = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
  const local = (given: Partial<typeof SETTINGS>) => {
    const recipes = recipeOf(dataset, { ...SETTINGS, resolution: 224, ...given });
    return "global" in recipes ? [recipes.localViews, recipes.local.size, recipes.local.blur?.p] : null;
  };
  assertEquals(local({}), null);
  assertEquals(local({ local_crops: 6 }), [6, 96, undefined]);
  assertEquals(local({ local_crops: 6, augment: "dino" }), [6, 96, 0.5]);
  assertEquals(local({ local_crops: 8, network: "vit_small", resolution: 64 }), [8, 32, undefined]);
  assertEquals(local({ local_crops: 8, network: "vit_small_14", local_size: 98 }), [8, 98, undefined]);
  assertThrows(
    () => local({ local_crops: 8, network: "vit_small", local_size: 40 }),
    RangeError,
    "Cannot use --local_size 40 as it must be a multiple of the 16 px of vit_small's patches",
  );
  assertThrows(
    () => local({ local_size: 40 }),
    TypeError,
    "Cannot use --local_size without --local_crops: got 40",
  );
});
