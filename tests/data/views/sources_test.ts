import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { arange, Device, tensor } from "../../../mod.ts";
import {
  augment,
  evalTransform,
  evaluationBatches,
  type FileDataset,
  imageSource,
  naturalRecipe,
  NORMALIZATION,
  ResidentImages,
  someRows,
  StreamedImages,
  UploadedImages,
  type ViewSource,
} from "../../../src/data/mod.ts";
import { openLimited } from "../../device/_limited.ts";
import { withFolder } from "../_helpers.ts";
import { smallDataset } from "../../train/_small.ts";

const device = await Device.open();
const recipe = naturalRecipe({ size: 8, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
const PLAN = { order: Uint32Array.of(4, 1, 3, 0, 2), sizes: [2, 3], epoch: 2, seed: 5, views: 2 };

/** PNG files of different sizes, the colour of each telling its number, and broken ones. */
async function writeImages(folder: string, count: number, broken: readonly number[] = []): Promise<FileDataset> {
  const { default: sharp } = await import("sharp");
  const paths = Array.from({ length: count }, (_, i) => `${folder}/${i}.png`);
  for (const [i, path] of paths.entries()) {
    const create = {
      width: 12 + i % 3,
      height: 10 + i % 2,
      channels: 3,
      background: { r: 20 * i, g: 5, b: 9 },
    } as const;
    const bytes = broken.includes(i) ? new Uint8Array(9) : await sharp({ create }).png().toBuffer();
    await Deno.writeFile(path, new Uint8Array(bytes));
  }
  return {
    name: "files",
    split: "train",
    length: count,
    classes: [],
    labels: null,
    files: { paths, decode: {}, evaluation: { resize: { shortSide: 9 }, centerCrop: 8 } },
    ...NORMALIZATION.cifar,
    resolution: 8,
    notes: [],
  };
}

/** Rows and views of every batch. */
async function collect(source: ViewSource, plan = PLAN): Promise<{ rows: number[]; views: number[] | null }[]> {
  const found = [];
  for await (const { rows, views, indices } of source.batches(plan)) {
    if (indices) assertEquals([...await indices.data()], [...rows]);
    found.push({ rows: [...rows], views: views && [...await views.data()] });
  }
  return found;
}

Deno.test("UploadedImages makes the views of ResidentImages", async () => {
  const { pixels } = smallDataset(5);
  using resident = new ResidentImages(device, pixels, recipe);
  using uploaded = new UploadedImages(device, pixels, recipe);
  const [a, b] = [await collect(resident), await collect(uploaded)];
  assertEquals(a.map(({ rows }) => rows), [[4, 1], [3, 0, 2]]);
  assertEquals(b.map(({ rows }) => rows), [[4, 1], [3, 0, 2]]);
  a.forEach(({ views }, i) => views!.forEach((v, j) => assertAlmostEquals(b[i]!.views![j]!, v, 1e-5)));
});

Deno.test("StreamedImages makes the same views whatever the chunks, and those of the decoded images", async () => {
  await withFolder(async (folder) => {
    const dataset = await writeImages(folder, 5);
    using whole = new StreamedImages(device, dataset, recipe, { workers: 2 });
    using single = new StreamedImages(device, dataset, recipe, { workers: 1, chunkBytes: 100 }); // one image a chunk
    const [a, b] = [await collect(whole), await collect(single)];
    assertEquals(a, b);
    using cached = new StreamedImages(device, dataset, recipe, { workers: 1, cacheBytes: 1e6 });
    assertEquals(await collect(cached), a);
    const spent = cached.times.decode;
    assertEquals([await collect(cached), cached.times.decode], [a, spent]); // no file is read again
    assertEquals(a.map(({ rows, views }) => [rows, views?.length]), [[[4, 1], 2 * 2 * 192], [[3, 0, 2], 3 * 2 * 192]]);
    const { decode, wait, upload } = whole.times;
    assert(decode > 0 && wait > 0 && upload > 0, `${decode} ${wait} ${upload}`);
    // Without anything random, the colour of an image is left: number i has red 20 i.
    using still = new StreamedImages(device, dataset, evalTransform({ size: 8, resize: 8 }), { workers: 1 });
    const [first] = await collect(still, { ...PLAN, views: 1 });
    assertAlmostEquals(first!.views![0]!, 80 / 255, 1e-3);
    assertAlmostEquals(first!.views![192]!, 20 / 255, 1e-3);
  });
});

Deno.test("StreamedImages begins in the middle of an epoch where the rest of the order begins", async () => {
  await withFolder(async (folder) => {
    using source = new StreamedImages(device, await writeImages(folder, 5), recipe, { workers: 1 });
    const all = await collect(source);
    assertEquals(await collect(source, { ...PLAN, order: PLAN.order.subarray(2), sizes: [3] }), all.slice(1));
  });
});

Deno.test("StreamedImages leaves unreadable images out of their batch, and tells of each once", async () => {
  await withFolder(async (folder) => {
    const dataset = await writeImages(folder, 5, [4, 0]);
    const told: string[] = [];
    using source = new StreamedImages(device, dataset, recipe, {
      workers: 1,
      onUnreadable: ({ path }) => told.push(path),
    });
    const found = await collect(source);
    assertEquals(found.map(({ rows, views }) => [rows, views?.length]), [[[1], 2 * 192], [[3, 2], 2 * 2 * 192]]);
    await collect(source);
    assertEquals(told, [`${folder}/4.png`, `${folder}/0.png`]);
  });
});

Deno.test("StreamedImages names an image that the adapter cannot bind and leaves it out", async () => {
  await withFolder(async (folder) => {
    const dataset = await writeImages(folder, 5);
    const { default: sharp } = await import("sharp");
    const create = { width: 700, height: 500, channels: 3, background: { r: 1, g: 5, b: 9 } } as const;
    await Deno.writeFile(dataset.files.paths[1]!, new Uint8Array(await sharp({ create }).png().toBuffer()));
    await using limited = await openLimited({ maxStorageBufferBindingSize: 2 ** 14 });
    const told: string[] = [];
    using source = new StreamedImages(limited, dataset, recipe, {
      workers: 1,
      onUnreadable: ({ path, reason }) => told.push(`${path}: ${reason}`),
    });
    assertEquals((await collect(source)).map(({ rows }) => rows), [[4], [3, 0, 2]]);
    await collect(source);
    assertEquals(told, [
      `${folder}/1.png: 128 x 91 px take 34944 bytes, and the adapter binds at most 16384 at once`,
    ]);
  });
});

Deno.test("StreamedImages stops when too many images are unreadable", async () => {
  await withFolder(async (folder) => {
    using source = new StreamedImages(device, await writeImages(folder, 5, [0, 1, 2]), recipe, { workers: 1 });
    await assertRejects(() => collect(source), SyntaxError, 'Cannot go on with "files" as at most 1 %');
  });
});

Deno.test("StreamedImages holds the same memory after every epoch", async () => {
  await withFolder(async (folder) => {
    using source = new StreamedImages(device, await writeImages(folder, 5), recipe, { workers: 2 });
    const after: unknown[] = [];
    for (let epoch = 0; epoch < 12; epoch++) {
      await collect(source, { ...PLAN, epoch });
      after.push({ ...device.memory, peak: 0, buffers: device.counters.buffers });
    }
    for (const each of after.slice(3)) assertEquals(each, after[2]);
  });
});

Deno.test("imageSource() takes what fits the data set and the device", async () => {
  const { pixels, ...rest } = smallDataset(4);
  using resident = imageSource(device, { ...rest, pixels }, recipe) as ResidentImages;
  assert(resident instanceof ResidentImages);
  const limits = { maxStorageBufferBindingSize: 3000, maxBufferSize: 9000 };
  const small = new Proxy(device, {
    get: (target, name) => name === "limits" ? limits : Reflect.get(target, name, target),
  });
  using uploaded = imageSource(small, { ...rest, pixels }, recipe) as UploadedImages;
  assert(uploaded instanceof UploadedImages);
  await withFolder(async (folder) => {
    using streamed = imageSource(device, await writeImages(folder, 2), recipe) as StreamedImages;
    assert(streamed instanceof StreamedImages);
  });
});

Deno.test("evaluationBatches() gives normalised images in order, from memory and from files", async () => {
  const dataset = smallDataset(5);
  const rows: number[] = [];
  for await (const batch of evaluationBatches(device, dataset, { batchSize: 2, rows: [4, 0, 3] })) {
    rows.push(...batch.rows);
    const [first] = await batch.images.data();
    assertAlmostEquals(first!, (dataset.pixels.data[batch.rows[0]! * 768]! / 255 - 0.5) / 0.5, 1e-5);
  }
  assertEquals(rows, [4, 0, 3]);
  await withFolder(async (folder) => {
    const files = await writeImages(folder, 5, [3]);
    const found: number[][] = [];
    for await (const batch of evaluationBatches(device, files, { batchSize: 3, workers: 1 })) {
      assertEquals(batch.images.shape.slice(1), [8, 8, 3]);
      assertAlmostEquals((await batch.images.data())[0]!, (20 * batch.rows[0]! / 255 - 0.5) / 0.5, 1e-3);
      found.push([...batch.rows]);
    }
    assertEquals(found, [[0, 1, 2], [4]]);
    const holes: number[][] = [];
    const damaged = await writeImages(folder, 5, [1]);
    for await (const batch of evaluationBatches(device, damaged, { batchSize: 2, workers: 1 })) {
      holes.push([...batch.rows]);
    }
    assertEquals(holes, [[0], [2, 3], [4]], "batches are cut where they would be if all could be read");
    for await (const batch of evaluationBatches(device, files, { resolution: 4, workers: 1 })) {
      assertEquals(batch.images.shape, [4, 4, 4, 3]);
    }
  });
});

Deno.test("evaluationBatches() resizes resident images to another resolution as augment() does", async () => {
  const dataset = smallDataset(2);
  const { pixels, mean, std } = dataset;
  const bytes = tensor(pixels.data, { shape: [2, 16, 16, 3] });
  const still = evalTransform({ size: 8, resize: [8, 8], mean, std });
  const want = augment(bytes, { indices: arange(0, 2, { dtype: "u32" }), recipe: still, views: 1 });
  for await (const { images } of evaluationBatches(device, dataset, { resolution: 8 })) {
    assertEquals(await images.data(), await want.data());
  }
});

Deno.test("someRows() picks the same rows every time, all of them when there are few", () => {
  assertEquals(someRows(3, 5), [0, 1, 2]);
  const rows = someRows(100, 10);
  assertEquals(rows, someRows(100, 10));
  assertEquals([rows.length, new Set(rows).size], [10, 10]);
});
