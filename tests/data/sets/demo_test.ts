import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  decodeAhead,
  type DemoName,
  type FileDataset,
  type ImageDataset,
  loadCheXpert,
  loadCifar10,
  loadCifar100,
  loadCub200,
  loadCubAttributes,
  loadEmoji,
  loadFolder,
  loadImageNet100,
  loadPrior,
  loadUtZappos,
  loadUtZapposAttributes,
  preload,
  writeDemo,
} from "../../../src/data/mod.ts";
import { withFolder } from "../_helpers.ts";

const COUNTS = { train: 45, test: 18 };

async function withDemo(name: DemoName, body: (root: string) => Promise<void>) {
  await withFolder(async (folder) => {
    await writeDemo(name, `${folder}/data`, COUNTS);
    await body(`${folder}/data`);
  });
}

function checkCounts(train: ImageDataset, test: ImageDataset) {
  assertEquals([train.length, test.length], [45, 18]);
  for (const { labels } of [train, test]) {
    if (labels instanceof Int32Array) assertEquals(new Set(labels).size, 9, "all categories are there");
  }
}

/** Decodes all images, and checks that the middle of the first one is that of an emoji of its class. */
async function checkDecoding(dataset: FileDataset, height: number, width: number) {
  let count = 0;
  for await (const image of decodeAhead(dataset, { workers: 1, spec: dataset.files.evaluation })) {
    assertEquals([image.height, image.width], [height, width]);
    assert(image.data.some((value) => value < 200), "it is not blank");
    count++;
  }
  assertEquals(count, dataset.length);
}

Deno.test("writeDemo() writes CIFAR-10's layout, whose pixels are those of the emoji", async () => {
  await withDemo("cifar10", async (root) => {
    const [train, test] = [await loadCifar10(root), await loadCifar10(root, { split: "test" })];
    checkCounts(train, test);
    assertEquals(train.classes[0], "Activities");
    const emoji = await loadEmoji({ vendors: ["twitter"] });
    const hex = (pixels: Uint8Array) => pixels.join();
    const known = new Map(
      emoji.names.map((_, i) => [hex(emoji.pixels.twitter.subarray(i * 3072, i * 3072 + 3072)), emoji.labels[i]]),
    );
    let found = 0;
    for (let i = 0; i < train.length; i++) {
      const label = known.get(hex(train.pixels.data.subarray(i * 3072, i * 3072 + 3072)));
      if (label !== undefined && label === train.labels[i]) found++;
    }
    assert(found >= 20, `${found} of 45 are Twitter's, with the right label`);
  });
});

Deno.test("writeDemo() writes CIFAR-100's layout", async () => {
  await withDemo("cifar100", async (root) => {
    const train = await loadCifar100(root);
    assertEquals([train.length, train.classes.length], [45, 98]);
    assert(new Set(train.labels).size > 15, "subcategories are the fine labels");
  });
});

Deno.test("writeDemo() writes CUB-200's layout, with attributes", async () => {
  await withDemo("cub200", async (root) => {
    const [train, test] = [await loadCub200(root), await loadCub200(root, { split: "test" })];
    checkCounts(train, test);
    await checkDecoding(test, 224, 224);
    const prior = await loadCubAttributes(root, train);
    assertEquals([prior.dim, prior.data.length], [64, 45 * 64]);
    assert(prior.data.includes(1) && prior.data.includes(0));
  });
});

Deno.test("writeDemo() writes UT-Zappos' layout, with attributes", async () => {
  await withDemo("utzappos", async (root) => {
    const [train, test] = [await loadUtZappos(root), await loadUtZappos(root, { split: "test" })];
    checkCounts(train, test);
    const small = await preload(train, { height: 32, width: 32, workers: 1 });
    assertEquals(small.pixels.data.length, 45 * 3072);
    const prior = await loadUtZapposAttributes(root, train);
    assertEquals(prior.dim, 64);
    await Deno.remove(`${root}/meta_data_bin_train.csv`);
    assert((await loadUtZapposAttributes(root, train)).dim > 10, "from the metadata");
  });
});

Deno.test("writeDemo() writes ImageNet-100's layout", async () => {
  await withDemo("imagenet100", async (root) => {
    const [train, val] = [await loadImageNet100(root), await loadImageNet100(root, { split: "val" })];
    checkCounts(train, val);
    await checkDecoding(val, 224, 224);
  });
});

Deno.test("writeDemo() writes CheXpert's layout, with blanks and uncertain labels", async () => {
  await withDemo("chexpert", async (root) => {
    const [train, valid] = [await loadCheXpert(root), await loadCheXpert(root, { split: "valid" })];
    checkCounts(train, valid);
    await checkDecoding(valid, 224, 224);
    const csv = await Deno.readTextFile(`${root}/train.csv`);
    assert(csv.includes(",-1.0,") && csv.includes(",,"));
    for (const value of [0, 1]) assert(train.labels.includes(value), `${value} is there`);
    assert(train.labels.some((value) => Number.isNaN(value)));
    assert((await loadCheXpert(root, { views: ["PA", "AP"] })).length < 45);
  });
});

Deno.test("writeDemo() writes a folder of images, with a prior", async () => {
  await withDemo("custom", async (root) => {
    const [train, test] = [await loadFolder(`${root}/train`), await loadFolder(`${root}/test`, { split: "test" })];
    checkCounts(train, test);
    const prior = await loadPrior(`${root}/custom_prior.npz`, train);
    assertEquals([prior.dim, prior.notes], [64, []]);
  });
});

Deno.test("writeDemo() keeps emoji apart, repeats itself, and replaces only what is its own", async () => {
  await withFolder(async (folder) => {
    const root = `${folder}/a/data`;
    await writeDemo("custom", root, COUNTS);
    const names = async (split: string) =>
      ((await loadFolder(`${root}/${split}`)).paths ?? []).map((path) => path.replace(/_(twitter|google)\.jpg$/, ""));
    const train = new Set(await names("train"));
    assert((await names("test")).every((name) => !train.has(name)));

    await Deno.writeTextFile(`${root}/mine.txt`, "");
    await writeDemo("custom", root, COUNTS); // the same: kept
    await Deno.stat(`${root}/mine.txt`);
    await writeDemo("custom", root, { ...COUNTS, train: 54 }); // others: written again
    assertEquals((await loadFolder(`${root}/train`)).length, 54);

    await Deno.mkdir(`${folder}/other`);
    await Deno.writeTextFile(`${folder}/other/photo.jpg`, "");
    await assertRejects(
      () => writeDemo("custom", `${folder}/other`, COUNTS),
      Deno.errors.AlreadyExists,
      `Cannot write demo data into "${folder}/other" as it must be empty: it holds "photo.jpg"`,
    );
    assertEquals([...Deno.readDirSync(`${folder}/a`)].map(({ name }) => name), ["data"], "nothing is left over");
  });
});

Deno.test("writeDemo() throws on numbers out of range", async () => {
  for (
    const [part, counts] of [["train", { train: 17 }], ["test", { test: 1.5 }], ["train", { train: 2900 }]] as const
  ) {
    await assertRejects(
      () => writeDemo("cifar10", "/nowhere/data", counts),
      RangeError,
      `Cannot write demo data as ${part} must be an integer of at least 18, and at most 3000 in all: current value is `,
    );
  }
});
