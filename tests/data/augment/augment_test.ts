import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  augment,
  type AugmentOptions,
  chexpertRecipe,
  evalTransform,
  type Images,
  naturalRecipe,
  packImages,
  publishedRecipes,
  readParameters,
  type Recipe,
  sampleViews,
} from "../../../src/data/augment/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { ones, scope, tensor, zeros } from "../../../src/tensor/mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import { key } from "../../../src/tensor/mod.ts";
import { assertClose } from "../../../src/testing/mod.ts";
import { eachFamily } from "../../ops/shared/_forms.ts";

const device = await Device.open();

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
const RECIPE = naturalRecipe({ size: 13, mean: MEAN, std: STD });

function bytes(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(uniformNumbers(length, key(seed)), (u) => 256 * u);
}

const RESIDENT = tensor<"u8">(bytes(6 * 11 * 9 * 3), { shape: [6, 11, 9, 3] });

Deno.test("augment() makes the same view of a sample in any batch, order, and form of the images", async () => {
  await eachFamily(device, async () => {
    for (const recipe of [RECIPE, chexpertRecipe({ size: 10 })]) {
      const options = { recipe, epoch: 4, seed: 1 };
      const whole = await augment(RESIDENT, { ...options, indices: [0, 1, 2, 3, 4, 5] }).data();
      const part = await augment(RESIDENT, { ...options, indices: tensor(new Uint32Array([4, 1])) }).data();
      const sample = part.length / 2;
      assertEquals(part.subarray(0, sample), whole.subarray(4 * sample, 5 * sample));
      assertEquals(part.subarray(sample), whole.subarray(sample, 2 * sample));
      const data = await RESIDENT.data();
      const image = (i: number) => ({ data: data.slice(297 * i, 297 * i + 297), height: 11, width: 9 });
      const packed = packImages([image(4), image(1)]);
      assertEquals(await augment(packed, { ...options, indices: [4, 1] }).data(), part);
      const later = await augment(RESIDENT, { ...options, epoch: 5, indices: [4, 1] }).data();
      assertNotEquals(later, part);
      assertNotEquals(part.subarray(0, sample / 2), part.subarray(sample / 2, sample));
    }
  });
});

Deno.test("augment() with given parameters makes what it makes of those it draws", async () => {
  const turned = { ...RECIPE, rotation: 20, interpolation: "bicubic" } as const;
  for (
    const recipe of [
      RECIPE,
      turned,
      publishedRecipes("byol", { size: 13 }),
      publishedRecipes("radiograph", { size: 9 }),
    ]
  ) {
    const options = { recipe, indices: [5, 3, 0, 1], epoch: 1 };
    const parameters = (await readParameters(sampleViews(RESIDENT, options))).map(({ jitter, ...rest }) =>
      jitter.order ? { ...rest, jitter } : rest
    );
    const drawn = await augment(RESIDENT, options).data();
    assertClose(await augment(RESIDENT, { ...options, parameters }).data(), drawn, { rtol: 1e-6 });
  }
});

Deno.test("augment() gives the same with the shaders for GPUs and for CPUs", async () => {
  const results: ArrayLike<number>[] = [];
  const images = packImages([{ data: bytes(70 * 45 * 3), height: 70, width: 45 }]);
  await eachFamily(device, async () => {
    results.push(await augment(images, { indices: [3], recipe: naturalRecipe({ size: 37 }), views: 5 }).data());
  });
  assertClose(results[0]!, results[1]!, { rtol: 1e-5 }); // the mean of gray is summed in another order
});

Deno.test("augment() works for the smallest and for odd sizes", async () => {
  for (const [height, width, size] of [[1, 1, 1], [1, 1, 5], [3, 200, 2], [65, 1, 33]] as const) {
    const data = new Uint8Array(height * width * 3).fill(51);
    const recipe = { ...naturalRecipe({ size }), jitter: undefined, grayscale: 0 };
    const views = augment(packImages([{ data, height, width }]), { indices: [0], recipe, views: 3 });
    assertEquals(views.shape, [1, 3, size, size, 3]);
    assertClose(await views.data(), new Float32Array(views.size).fill(0.2));
  }
});

Deno.test("augment() reads images at any byte, up to the last", async () => {
  const sizes = [[1, 1], [1, 2], [2, 1], [2, 2], [1, 1]] as const;
  const list = sizes.map(([height, width], i) => ({ data: bytes(height * width * 3, i), height, width }));
  const recipe = evalTransform({ size: 1, resize: [1, 1] });
  const views = await augment(packImages(list), { indices: [0, 1, 2, 3, 4], recipe, views: 1 }).data();
  const expected = list.flatMap(({ data }) =>
    [0, 1, 2].map((c) => data.filter((_, i) => i % 3 === c).reduce((a, b) => a + b, 0) / (data.length / 3) / 255)
  );
  assertClose(views, expected);
});

Deno.test("augment() takes images of one channel when no colours are asked for", async () => {
  const images = tensor<"u8">(bytes(2 * 9 * 7), { shape: [2, 9, 7, 1] });
  const views = augment(images, { indices: [1], recipe: chexpertRecipe({ size: 6 }) });
  assertEquals(views.shape, [1, 2, 6, 6, 1]);
  const data = await images.data();
  const rgb = tensor(Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!), {
    shape: [2, 9, 7, 3],
  });
  const colored = await augment(rgb, { indices: [1], recipe: chexpertRecipe({ size: 6 }) }).data();
  assertClose(await views.data(), colored.filter((_, i) => i % 3 === 0));
});

Deno.test("augment() with evalTransform() normalises, and centres with black around", async () => {
  const images = ones([1, 2, 2, 3], { dtype: "u8" });
  const plain = augment(images, { indices: [0], views: 1, recipe: evalTransform({ size: 2, mean: MEAN, std: STD }) });
  const pixel = MEAN.map((mean, c) => (1 / 255 - mean) / STD[c]!);
  assertClose(await plain.data(), [...pixel, ...pixel, ...pixel, ...pixel]);
  const padded = await augment(images, { indices: [0], views: 1, recipe: evalTransform({ size: 4 }) }).data();
  const lit = Array.from(padded.filter((_, i) => i % 3 === 0), (value) => Math.round(value * 255));
  assertEquals(lit, [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
});

Deno.test("augment() blurs and solarizes one channel as it does three that are alike", async () => {
  const gray = bytes(9 * 7, 4);
  const images = tensor<"u8">(gray, { shape: [1, 9, 7, 1] });
  const rgb = tensor(Uint8Array.from({ length: 3 * 63 }, (_, i) => gray[Math.floor(i / 3)]!), { shape: [1, 9, 7, 3] });
  const recipe: Recipe = {
    ...chexpertRecipe({ size: 8 }),
    ...{ blur: { p: 1, sigma: [0.5, 1], kernelSize: 5 }, solarize: { p: 0.5, threshold: 0.4 } },
  };
  const options = { indices: [0], recipe, views: 4 };
  const colored = await augment(rgb, options).data();
  assertClose(await augment(images, options).data(), colored.filter((_, i) => i % 3 === 0));
});

Deno.test("augment() gives views recipes in turn, and further ones a number of their own", async () => {
  const [first, second] = publishedRecipes("byol", { size: 6 }) as [Recipe, Recipe];
  const at = { indices: [4, 0, 2], epoch: 3, seed: 8 };
  const draw = async (options: Omit<AugmentOptions, "indices">) =>
    (await readParameters(sampleViews(RESIDENT, { ...at, ...options }))).map((view) => JSON.stringify(view));
  const both = await draw({ recipe: [first, second], views: 4 });
  const [own, other] = [await draw({ recipe: first, views: 4 }), await draw({ recipe: second, views: 4 })];
  assertEquals(both, own.map((view, i) => i % 2 === 0 ? view : other[i]));
  assertNotEquals(both, own);
  const rest = await draw({ recipe: [first, second], views: 2, firstView: 2 });
  assertEquals(rest, both.filter((_, i) => i % 4 >= 2));
  const views = await augment(RESIDENT, { ...at, recipe: [first, second], views: 4 }).data();
  const last = await augment(RESIDENT, { ...at, recipe: [first, second], views: 2, firstView: 2 }).data();
  const size = 2 * 6 * 6 * 3;
  for (const sample of [0, 1, 2]) {
    assertEquals(
      last.subarray(size * sample, size * (sample + 1)),
      views.subarray(size * (2 * sample + 1), size * (2 * sample + 2)),
    );
  }
});

Deno.test("augment() answers an index of the device that has no image with NaN, and others as ever", async () => {
  const indices = tensor(new Uint32Array([6, 2]));
  for (const recipe of [RECIPE, publishedRecipes("byol", { size: 7 })]) {
    const views = await augment(RESIDENT, { indices, recipe }).data();
    assertEquals(views.subarray(0, views.length / 2).every(Number.isNaN), true);
    const right = await augment(RESIDENT, { indices: [0, 2], recipe }).data();
    assertEquals(views.subarray(views.length / 2), right.subarray(views.length / 2));
  }
});

Deno.test("augment() makes no buffer, pipeline or bind group in a steady step", async () => {
  await using device = await Device.open(); // its own: what other tests left may be freed at any time
  using _ = scope();
  const images = tensor<"u8">(bytes(6 * 11 * 9 * 3), { shape: [6, 11, 9, 3] });
  const step = async (epoch: number) => {
    using _ = scope();
    augment(images, { indices: new Uint32Array([1, 2, epoch % 6]), recipe: RECIPE, epoch });
    await device.done();
  };
  await step(0);
  await step(1);
  const before = device.counters;
  for (let epoch = 2; epoch < 6; epoch++) await step(epoch);
  const { buffers, bindGroups, pipelines, reads } = device.counters;
  assertEquals([buffers, bindGroups, pipelines, reads], [
    before.buffers,
    before.bindGroups,
    before.pipelines,
    before.reads,
  ]);
});

Deno.test("packImages() throws on bytes that do not match", () => {
  assertThrows(() => packImages([]), TypeError, "Cannot pack images as there must be at least one: got none");
  assertThrows(
    () => packImages([{ data: new Uint8Array(5), height: 1, width: 2 }]),
    TypeError,
    "Cannot pack images as image 0 must have 1 x 2 x 3 bytes: got 5",
  );
  assertThrows(() => packImages([{ data: new Uint8Array(0), height: 0, width: 2 }]), TypeError, "image 0 must have");
});

Deno.test("augment() throws on images and indices that it cannot use", () => {
  const base: AugmentOptions = { indices: [0], recipe: RECIPE };
  const packed = packImages([{ data: new Uint8Array(3), height: 1, width: 1 }]);
  const types: [Images, Partial<AugmentOptions>, string][] = [
    [ones([1, 2, 2, 3]), {}, "images must be u8 [n, h, w, 3] or [n, h, w, 1]: got f32 [1,2,2,3]"],
    [zeros([1, 2, 2, 4], { dtype: "u8" }), {}, "images must be u8 [n, h, w, 3] or [n, h, w, 1]: got u8 [1,2,2,4]"],
    [zeros([1, 2, 2, 1], { dtype: "u8" }), {}, "colour steps need 3 channels: got images of 1 channel"],
    [packed, { indices: [0, 1] }, "there must be one packed image for each index: got 1 and 2"],
    [{ ...packed, channels: 2 }, {}, "packed images must have 1 or 3 channels: got 2"],
    [
      { ...packed, table: ones([1, 3]) },
      {},
      "packed images must be u8 bytes and a u32 [batch, 3] table: got u8 [3] and f32 [1,3]",
    ],
    [RESIDENT, { indices: [] }, "there must be at least one index: got none"],
    [RESIDENT, { indices: ones([2]) }, "indices must be u32 [batch], batch >= 1: got f32 [2]"],
    [RESIDENT, { parameters: [] }, "there must be parameters for 1 x 2 views: got 0"],
    [
      RESIDENT,
      { recipe: { ...RECIPE, mean: [1, 2] } },
      "mean must have 1 or 3 values for images of 3 channels: got [1,2]",
    ],
    [
      RESIDENT,
      { recipe: { ...RECIPE, std: [1, 2] } },
      "std must have 1 or 3 values for images of 3 channels: got [1,2]",
    ],
    [
      RESIDENT,
      { views: 1, parameters: [{ top: 0, left: 0, height: 1, width: 1, jitter: { order: ["hue"] } }] },
      "order must name each step of the colour jitter once: got [hue]",
    ],
  ];
  for (const [images, options, message] of types) {
    assertThrows(() => augment(images, { ...base, ...options }), TypeError, `Cannot augment() as ${message}`);
  }
  const ranges: [Partial<AugmentOptions>, string][] = [
    [{ indices: [6] }, "every index must be an integer in [0, 6): got 6"],
    [{ indices: [0.5] }, "every index must be an integer in [0, 6): got 0.5"],
    [{ epoch: -1 }, "epoch must be an integer in [0, 4294967296): got -1"],
    [{ seed: 0.1 }, "seed must be an integer in [0, 9007199254740992): got 0.1"],
    [{ views: 0 }, "views must be an integer in [1, 4294967296): got 0"],
    [{ firstView: -1 }, "firstView must be an integer in [0, 4294967294): got -1"],
    [{ recipe: [] }, "there must be at least one recipe: got none"],
    [{ recipe: [RECIPE, { ...RECIPE, size: 5 }] }, "recipes must have one size: got 13 and 5"],
    [{ recipe: [RECIPE, { ...RECIPE, mean: [0] }] }, `recipes must have one mean: got ${MEAN} and 0`],
    [
      { recipe: [3, 5].map((kernelSize) => ({ ...RECIPE, blur: { p: 1, sigma: [1, 1], kernelSize } })) },
      "recipes must have one blur.kernelSize: got 3 and 5",
    ],
  ];
  for (const [options, message] of ranges) {
    assertThrows(() => augment(RESIDENT, { ...base, ...options }), RangeError, `Cannot augment() as ${message}`);
  }
  assertThrows(
    () => augment(zeros([1, 300, 400, 3], { dtype: "u8" }), { indices: [0], recipe: naturalRecipe({ size: 2 }) }),
    RangeError,
    "images of up to 300 x 400 px shrink too much for views of 2 px: resize them when they are decoded",
  );
});
