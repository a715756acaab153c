import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type Images,
  naturalRecipe,
  packImages,
  readParameters,
  type Recipe,
  sampleViews,
  type ViewParameters,
} from "../../../src/data/augment/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { type Shape, tensor, zeros } from "../../../src/tensor/mod.ts";
import { philox } from "../../../src/tensor/internal.ts";

await Device.open();

const SIZE = 32;
const PLAIN = naturalRecipe({ size: SIZE });
const STEPS = ["brightness", "contrast", "saturation", "hue"] as const;

function images(shape: Shape): Images {
  return zeros(shape, { dtype: "u8" });
}

async function draw(
  count: number,
  recipe: Recipe,
  shape: Shape = [1, 40, 30, 3],
): Promise<Required<ViewParameters>[]> {
  // Views rather than samples, so that one image serves.
  return await readParameters(sampleViews(images(shape), { indices: [0], recipe, views: count, seed: 5 }));
}

/** The words that the view of a sample draws in a block. */
function words(at: { sample: number; view: number; epoch: number; seed: number }, block: number): number[] {
  return philox([at.sample, at.view, at.epoch, block], [at.seed >>> 0, Math.floor(at.seed / 2 ** 32) ^ 0x61756721]);
}

const unit = (word: number) => (word >>> 8) / 2 ** 24;
const below = (word: number, range: number) => Math.floor(word * range / 2 ** 32);

/**
 * Computes `RandomResizedCrop.get_params` of torchvision, in float64 from the same random words; null where rounding
 * may differ.
 */
function crop(height: number, width: number, draws: (block: number) => number[]): number[] | null {
  for (let i = 0; i < 10; i++) {
    const [a, b, c, d] = draws(i) as [number, number, number, number];
    const area = height * width * (0.08 + 0.92 * unit(a));
    const aspect = Math.exp(Math.log(3 / 4) + (Math.log(4 / 3) - Math.log(3 / 4)) * unit(b));
    const sizes = [Math.sqrt(area / aspect), Math.sqrt(area * aspect)];
    if (sizes.some((size) => Math.abs(size % 1 - 0.5) < 1e-4)) return null;
    const [h, w] = sizes.map(Math.round) as [number, number];
    if (w <= width && h <= height) return [below(c, height - h + 1), below(d, width - w + 1), h, w];
  }
  return null;
}

const RECIPE: Recipe = {
  ...PLAIN,
  rotation: 30,
  blur: { p: 0.75, sigma: [0.25, 2.25] },
  solarize: { p: 0.25, threshold: 0.5 },
  affine: { translate: [0.25, 0.5], scale: [0.5, 1.5], shear: [-10, 30, 5, 9] },
};

Deno.test("sampleViews() draws torchvision's parameters from Philox of sample, view, epoch and seed", async () => {
  const [seed, epoch, batch, views] = [2 ** 40 + 3, 7, 50, 3];
  const indices = Array.from({ length: batch }, (_, i) => 3 * i + 1);
  const sampled = await readParameters(
    sampleViews(images([150, 45, 60, 3]), { indices, recipe: RECIPE, views, epoch, seed }),
  );
  let crops = 0;
  sampled.forEach((got, i) => {
    const at = { sample: indices[Math.floor(i / views)]!, view: i % views, epoch, seed };
    const expected = crop(45, 60, (block) => words(at, block));
    if (expected) {
      crops++;
      assertEquals([got.top, got.left, got.height, got.width], expected);
    }
    const coins = words(at, 10).map(unit);
    assertEquals(got.flip, coins[0]! < 0.5);
    assertAlmostEquals(got.angle, 60 * coins[1]! - 30, 1e-4);
    assertEquals(got.grayscale, coins[2]! < Math.fround(0.2));
    const ends = words(at, 13).map(unit);
    assertAlmostEquals(got.blur, ends[0]! < 0.75 ? 0.25 + 2 * ends[1]! : 0, 1e-6);
    assertEquals(got.solarize, ends[2]! < 0.25 ? 0.5 : null);
    const [right, down, scale, slant] = words(at, 14).map(unit) as [number, number, number, number];
    const shifts = [8 * (2 * right - 1), 16 * (2 * down - 1)];
    got.translate.forEach((shift, k) => assert(Number.isInteger(shift) && Math.abs(shift - shifts[k]!) <= 0.5));
    assertAlmostEquals(got.scale, 0.5 + scale, 1e-6);
    assertAlmostEquals(got.shear[0], 40 * slant - 10, 1e-5);
    assertAlmostEquals(got.shear[1], 4 * unit(words(at, 15)[0]!) + 5, 1e-5);
    assertEquals(got.jitter.order !== undefined, coins[3]! < Math.fround(0.8));
    if (!got.jitter.order) return;
    const amounts = words(at, 11).map(unit);
    assertAlmostEquals(got.jitter.brightness!, 0.2 + 1.6 * amounts[0]!, 1e-6);
    assertAlmostEquals(got.jitter.contrast!, 0.2 + 1.6 * amounts[1]!, 1e-6);
    assertAlmostEquals(got.jitter.saturation!, 0.2 + 1.6 * amounts[2]!, 1e-6);
    assertAlmostEquals(got.jitter.hue!, 0.4 * amounts[3]! - 0.2, 1e-6);
  });
  assert(crops > 140, `${crops}`);
});

Deno.test("sampleViews() spreads area and logarithm of the ratio evenly, and crops over the image", async () => {
  const recipe: Recipe = { ...PLAIN, crop: { kind: "random", scale: [0.1, 0.3], ratio: [0.5, 2] } };
  const views = await draw(4000, recipe, [1, 200, 200, 3]);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const square = (values: number[]) => mean(values.map((v) => v * v)) - mean(values) ** 2;
  const areas = views.map(({ height, width }) => height * width / 40_000);
  const ratios = views.map(({ height, width }) => Math.log(width / height));
  // Four standard errors of uniform numbers over 4,000 draws, and the rounding to whole pixels.
  assertAlmostEquals(mean(areas), 0.2, 0.004);
  assertAlmostEquals(square(areas), 0.2 ** 2 / 12, 0.0002);
  assertAlmostEquals(mean(ratios), 0, 0.03);
  assertAlmostEquals(square(ratios), (2 * Math.log(2)) ** 2 / 12, 0.008);
  assertAlmostEquals(mean(views.map(({ top, height }) => top / (200 - height))), 0.5, 0.02);
  assertAlmostEquals(mean(views.map(({ left, width }) => left / (200 - width))), 0.5, 0.02);
  assertEquals(views.every((v) => v.top + v.height <= 200 && v.left + v.width <= 200), true);
});

Deno.test("sampleViews() flips, grays, jitters and orders with the probabilities of the recipe", async () => {
  const views = await draw(6000, PLAIN);
  const share = (is: (view: Required<ViewParameters>) => boolean) => views.filter(is).length / views.length;
  assertAlmostEquals(share((v) => v.flip), 0.5, 0.026);
  assertAlmostEquals(share((v) => v.grayscale), 0.2, 0.021);
  assertAlmostEquals(share((v) => v.jitter.order !== undefined), 0.8, 0.021);
  const orders = new Map<string, number>();
  const jittered = views.filter((v) => v.jitter.order);
  for (const { jitter } of jittered) {
    assertEquals(new Set(jitter.order).size, 4);
    orders.set(`${jitter.order}`, (orders.get(`${jitter.order}`) ?? 0) + 1);
  }
  assertEquals(orders.size, 24);
  for (const count of orders.values()) assertAlmostEquals(count / jittered.length, 1 / 24, 0.012);
});

Deno.test("sampleViews() leaves out the steps that the recipe does not have", async () => {
  const jitter = { p: 1, brightness: 0, contrast: 0.4, saturation: 0, hue: 0 };
  for (const view of await draw(20, { ...PLAIN, jitter, flip: 0, grayscale: 1 })) {
    assertEquals([view.jitter.brightness, view.jitter.saturation], [undefined, undefined]);
    assertEquals(Math.abs(view.jitter.hue!), 0);
    assert(view.jitter.contrast! >= 0.6 && view.jitter.contrast! <= 1.4);
    assertEquals([view.flip, view.grayscale], [false, true]);
    assertEquals([...view.translate, view.scale, ...view.shear].map(Math.abs), [0, 0, 1, 0, 0]);
  }
  const strong = { p: 1, brightness: 3, contrast: 3, saturation: 3, hue: 0.5 };
  const factors = (await draw(200, { ...PLAIN, jitter: strong })).flatMap(({ jitter }) =>
    STEPS.slice(0, 3).map((step) => jitter[step]!)
  );
  assert(factors.every((f) => f >= 0 && f <= 4));
});

Deno.test("sampleViews() takes the largest allowed crop at the centre when ten tries fail", async () => {
  const recipe: Recipe = { ...PLAIN, crop: { kind: "random", scale: [1, 1], ratio: [3 / 4, 4 / 3] } };
  const wide = (await draw(3, recipe, [1, 20, 100, 3]))[0]!;
  assertEquals([wide.top, wide.left, wide.height, wide.width], [0, 36, 20, 27]);
  const tall = (await draw(3, recipe, [1, 100, 21, 3]))[0]!;
  assertEquals([tall.top, tall.left, tall.height, tall.width], [36, 0, 28, 21]);
  const one = (await draw(3, PLAIN, [1, 1, 1, 3]))[0]!;
  assertEquals([one.top, one.left, one.height, one.width], [0, 0, 1, 1]);
});

Deno.test("sampleViews() depends on neither batch nor order nor how the images are kept", async () => {
  const resident = images([9, 10, 12, 3]);
  const options = { recipe: { ...PLAIN, rotation: 10 }, epoch: 2, seed: 9 };
  const whole = await readParameters(sampleViews(resident, { ...options, indices: [0, 1, 2, 3, 4, 5, 6, 7, 8] }));
  const part = await readParameters(sampleViews(resident, { ...options, indices: [7, 2] }));
  assertEquals(part, [whole[14]!, whole[15]!, whole[4]!, whole[5]!]);
  const indices = tensor(new Uint32Array([7, 2]));
  assertEquals(await readParameters(sampleViews(resident, { ...options, indices })), part);
  const image = { data: new Uint8Array(360), height: 10, width: 12 };
  assertEquals(await readParameters(sampleViews(packImages([image, image]), { ...options, indices })), part);
  for (const change of [{ epoch: 3 }, { seed: 10 }, { seed: 9 + 2 ** 32 }]) {
    const other = await readParameters(sampleViews(resident, { ...options, ...change, indices }));
    other.forEach((view, i) => assert(view.angle !== part[i]!.angle));
  }
});
