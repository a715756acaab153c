import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type ImageDataset,
  loadFolder,
  loadPrior,
  NORMALIZATION,
  type PixelDataset,
  savePrior,
} from "../../../src/data/mod.ts";
import { readFrom, readNpz } from "../../../src/formats/mod.ts";
import type { ImageEncoder } from "../../../src/encoders/mod.ts";
import { makeFeatures, type MakeFeaturesOptions } from "../../../src/jobs/mod.ts";
import { PartialRows } from "../../../src/jobs/features/partial_rows.ts";

/** Mean of each channel, and how often it was asked. */
class MeanColour implements ImageEncoder {
  readonly id: string;
  readonly decode = {};
  readonly maxBatch = 3;
  encoded = 0;

  constructor(id = "mean colour") {
    this.id = id;
  }

  prepare({ data }: { data: Uint8Array<ArrayBuffer> }) {
    return Float32Array.from(data);
  }

  encode(images: readonly Float32Array<ArrayBuffer>[]) {
    this.encoded += images.length;
    const meanOf = (pixels: Float32Array, c: number) =>
      pixels.reduce((sum, v, i) => i % 3 === c ? sum + v : sum, 0) * 3 / pixels.length;
    return Promise.resolve({
      dim: 3,
      data: Float32Array.from(images.flatMap((pixels) => [0, 1, 2].map((c) => meanOf(pixels, c)))),
    });
  }
}

/** Makes 7 images of 1 × 2 px. */
function dots(): PixelDataset<Int32Array<ArrayBuffer>> {
  return {
    name: "dots",
    split: "train",
    length: 7,
    classes: ["even", "odd"],
    labels: Int32Array.from({ length: 7 }, (_, i) => i % 2),
    pixels: { data: Uint8Array.from({ length: 42 }, (_, i) => i), height: 1, width: 2 },
    paths: Array.from({ length: 7 }, (_, i) => `${i}.png`),
    ...NORMALIZATION.cifar,
    resolution: 1,
    notes: [],
  };
}

/** Means of the channels of image i: its values are 6i … 6i + 5. */
const EXPECTED = Float32Array.from({ length: 21 }, (_, k) => 6 * Math.floor(k / 3) + 1.5 + k % 3);

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(join(folder, "prior.npz"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

function stopAfter(count: number): MakeFeaturesOptions {
  const stop = new AbortController();
  const onProgress = ({ done }: { done: number }) => {
    if (done >= count) stop.abort();
  };
  return { signal: stop.signal, onProgress };
}

Deno.test("makeFeatures() writes rows, labels and names in the order of the images", async () => {
  await inFolder(async (file) => {
    const encoder = new MeanColour();
    const seen: [number, number, number][] = [];
    const made = await makeFeatures(encoder, dots(), file, {
      onProgress: ({ done, total, resumed }) => seen.push([done, total, resumed]),
    });
    assertEquals(made, { done: 7, dim: 3, complete: true });
    assertEquals(seen, [[0, 7, 0], [3, 7, 0], [6, 7, 0], [7, 7, 0]]);
    const arrays = await readFrom(file, readNpz);
    assertEquals(arrays.get("prior"), { shape: [7, 3], dtype: "f32", data: EXPECTED });
    assertEquals(arrays.get("labels")?.data, dots().labels);
    assertEquals(arrays.get("paths")?.data, dots().paths);
    assertEquals((await loadPrior(file, dots())).data, EXPECTED);
    assert(!await exists(`${file}.partial`));
  });
});

Deno.test("makeFeatures() writes the very file that savePrior() does", async () => {
  await inFolder(async (file) => {
    const labels = Float32Array.of(0, 1, NaN, 1, 0, 0, 1);
    for (
      const dataset of [dots(), { ...dots(), labels: null, paths: undefined }, { ...dots(), classes: ["a"], labels }]
    ) {
      await makeFeatures(new MeanColour(), dataset, file);
      const made = await Deno.readFile(file);
      await savePrior(file, { data: EXPECTED, dim: 3 }, dataset);
      assertEquals(made, await Deno.readFile(file));
    }
  });
});

Deno.test("makeFeatures() goes on where a stopped run was, also within a row", async () => {
  await inFolder(async (file) => {
    const first = new MeanColour();
    const options = stopAfter(3);
    assertEquals(await makeFeatures(first, dots(), file, options), { done: 3, dim: 3, complete: false });
    assertEquals([first.encoded, await exists(file)], [3, false]);
    await Deno.writeFile(`${file}.partial`, new Uint8Array(5), { append: true }); // killed while it wrote
    const second = new MeanColour();
    const resumed: number[] = [];
    await makeFeatures(second, dots(), file, {
      batchSize: 2,
      onProgress: (progress) => resumed.push(progress.resumed),
    });
    assertEquals([second.encoded, resumed], [5, [2, 2, 2, 2]]); // whole batches of two
    assertEquals((await loadPrior(file, dots())).data, EXPECTED);
  });
});

Deno.test("makeFeatures() encodes in the batches of a run that nothing stopped, wherever its file was cut", async () => {
  class Placed extends MeanColour { // features that tell how the images were batched, as the last bits of a GPU's do
    override encode(images: readonly Float32Array<ArrayBuffer>[]) {
      return Promise.resolve({ dim: 1, data: Float32Array.from(images, (_, i) => 10 * images.length + i) });
    }
  }
  await inFolder(async (file) => {
    await makeFeatures(new Placed(), dots(), file);
    const whole = await Deno.readFile(file);
    for (let cut = 0; cut < 4096 + 6 * 8 + 5; cut += cut < 4090 ? 1365 : 1) {
      await makeFeatures(new Placed(), dots(), file, stopAfter(6));
      await Deno.truncate(`${file}.partial`, cut);
      await makeFeatures(new Placed(), dots(), file);
      assertEquals(await Deno.readFile(file), whole, `cut at ${cut}`);
    }
  });
});

Deno.test("makeFeatures() does not mix encoders or images", async () => {
  await inFolder(async (file) => {
    await makeFeatures(new MeanColour(), dots(), file, stopAfter(3));
    const refuse = (encoder: ImageEncoder, dataset: ImageDataset) =>
      assertRejects(
        () => makeFeatures(encoder, dataset, file),
        TypeError,
        `Cannot go on with "${file}.partial" as it was begun with other images or another encoder: got {"encoder":`,
      );
    await refuse(new MeanColour("another"), dots());
    await refuse(new MeanColour(), { ...dots(), paths: ["a", "b", "c", "d", "e", "f", "g"] });
    await refuse(new MeanColour(), { ...dots(), split: "test" });
    await Deno.writeFile(`${file}.partial`, new Uint8Array(5000));
    await assertRejects(
      () => makeFeatures(new MeanColour(), dots(), file),
      SyntaxError,
      `Cannot go on with "${file}.partial" as it is no file of features that was begun here: remove it`,
    );
  });
});

Deno.test("makeFeatures() reads files, and refuses one that cannot be read", async () => {
  const images = new URL("../../data/fixtures/images/", import.meta.url);
  await inFolder(async (file) => {
    const root = join(file, "..", "photos");
    await Deno.mkdir(root);
    for (const name of ["rgb.jpg", "gray.jpg"]) await Deno.copyFile(new URL(name, images), join(root, name));
    await makeFeatures(new MeanColour(), await loadFolder(root), file, { workers: 1 });
    const arrays = await readFrom(file, readNpz);
    assertEquals(arrays.get("paths")?.data, ["gray.jpg", "rgb.jpg"]);
    assertEquals(arrays.get("prior")?.shape, [2, 3]);
    await Deno.copyFile(new URL("truncated.jpg", images), join(root, "truncated.jpg"));
    const all = await loadFolder(root);
    await assertRejects(
      () => makeFeatures(new MeanColour(), all, file, { workers: 1 }),
      SyntaxError,
      `Cannot make features as every image must be readable: "${join(root, "truncated.jpg")}" is not (`,
    );
  });
});

Deno.test("makeFeatures() refuses a wrong file name, batch and width", async () => {
  const encoder = new MeanColour();
  await assertRejects(
    () => makeFeatures(encoder, dots(), "prior.npy"),
    TypeError,
    'Cannot make features as the file must end in .npz: got "prior.npy"',
  );
  await assertRejects(
    () => makeFeatures(encoder, dots(), "prior.npz", { batchSize: 0 }),
    RangeError,
    "Cannot make features as batchSize must be a positive integer: current value is 0",
  );
  await inFolder(async (file) => {
    using rows = await PartialRows.open(`${file}.partial`, { encoder: "e", images: "i", length: 2 });
    await rows.add(Float32Array.of(1, 2), 2);
    await assertRejects(
      () => rows.add(Float32Array.of(1, 2, 3), 3),
      TypeError,
      "Cannot add features as a row must have 2 values: got 3 values of width 3",
    );
    await Deno.truncate(`${file}.partial`, 4097);
    await assertRejects(
      () => Array.fromAsync(rows.chunks()),
      SyntaxError,
      `Cannot read "${file}.partial" as it ends early`,
    );
  });
});

Deno.test("makeFeatures() says that the folder of its file is absent", async () => {
  await inFolder(async (file) => {
    await assertRejects(
      () => makeFeatures(new MeanColour(), dots(), `${file}/absent/a.npz`),
      Deno.errors.NotFound,
      `Cannot write "${file}/absent/a.npz.partial" as its folder is not there`,
    );
  });
});

Deno.test("PartialRows keeps what stands before the first row that is damaged", async () => {
  await inFolder(async (file) => {
    const [path, of] = [`${file}.partial`, { encoder: "e", images: "i", length: 4 }];
    {
      using rows = await PartialRows.open(path, of);
      await rows.add(Float32Array.of(1, 2, 3, 4, 5, 6), 2);
    }
    const whole = await Deno.readFile(path);
    for (const [byte, kept] of [[4096, 0], [4096 + 8, 0], [4096 + 12 + 3, 1], [whole.length - 1, 2]] as const) {
      const bytes = whole.slice();
      bytes[byte]! ^= 1;
      await Deno.writeFile(path, bytes);
      using rows = await PartialRows.open(path, of);
      const chunks = (await Array.fromAsync(rows.chunks())).map((chunk) => [...new Float32Array(chunk.buffer)]);
      assertEquals([rows.count, chunks.flat()], [kept, [1, 2, 3, 4].slice(0, 2 * kept)]);
    }
  });
});

Deno.test("makeFeatures() refuses features that are not finite", async () => {
  await inFolder(async (file) => {
    const encoder: ImageEncoder = {
      id: "bad",
      decode: {},
      prepare: () => new Float32Array(1),
      encode: (images) => Promise.resolve({ data: new Float32Array(images.length).fill(NaN), dim: 1 }),
    };
    await assertRejects(
      () => makeFeatures(encoder, dots(), file),
      RangeError,
      "Cannot add features as they must be finite: got NaN for image 0",
    );
  });
});
