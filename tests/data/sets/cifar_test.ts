import { assertEquals, assertRejects } from "@std/assert";
import { loadCifar10, loadCifar100 } from "../../../src/data/sets/cifar.ts";
import { concat, gzip, makeTar, withFolder, writeFiles } from "../_helpers.ts";

const CLASSES = "airplane\nautomobile\nbird\n\n"; // the real file ends with an empty line, too

/** A record of the binary layout: the labels, then the planes. Pixel `p` of plane `c` is `(seed + 3 * p + c) % 256`. */
function record(labels: number[], seed: number): Uint8Array {
  const planes = Uint8Array.from({ length: 3072 }, (_, i) => (seed + 3 * (i % 1024) + Math.floor(i / 1024)) % 256);
  return concat([Uint8Array.from(labels), planes]);
}

function cifar10Files(folder = "cifar-10-batches-bin"): Record<string, string | Uint8Array> {
  const files: Record<string, string | Uint8Array> = { [`${folder}/batches.meta.txt`]: CLASSES };
  for (let batch = 1; batch <= 5; batch++) {
    files[`${folder}/data_batch_${batch}.bin`] = concat([record([batch % 3], batch), record([0], 100 + batch)]);
  }
  files[`${folder}/test_batch.bin`] = record([2], 77);
  return files;
}

Deno.test("loadCifar10() reads the binary layout in order, channels last", async () => {
  await withFolder(async (root) => {
    await writeFiles(root, cifar10Files());
    const train = await loadCifar10(root);
    assertEquals([train.name, train.split, train.length], ["cifar10", "train", 10]);
    assertEquals(train.classes, ["airplane", "automobile", "bird"]);
    assertEquals(train.labels, Int32Array.of(1, 0, 2, 0, 0, 0, 1, 0, 2, 0));
    assertEquals([train.pixels.height, train.pixels.width], [32, 32]);
    // Pixel p, channel c of the image with this seed is (seed + 3 p + c) % 256: a run of numbers, channels last.
    assertEquals(train.pixels.data.subarray(0, 3072), Uint8Array.from({ length: 3072 }, (_, i) => (1 + i) % 256));
    assertEquals(train.pixels.data.subarray(9 * 3072), Uint8Array.from({ length: 3072 }, (_, i) => (105 + i) % 256));
    assertEquals(train.notes, ["CIFAR-10 train: 10 images were read, the published set has 50000"]);
    assertEquals((await loadCifar10(root, { split: "test" })).labels, Int32Array.of(2));
    assertEquals((await loadCifar10(`${root}/cifar-10-batches-bin`)).length, 10, "the folder itself is taken, too");
  });
});

Deno.test("loadCifar100() takes the fine label", async () => {
  await withFolder(async (root) => {
    await writeFiles(root, {
      "cifar-100-binary/fine_label_names.txt": "apple\naquarium_fish\n",
      "cifar-100-binary/coarse_label_names.txt": "a\nb\nc\n",
      "cifar-100-binary/train.bin": concat([record([2, 1], 0), record([0, 0], 0)]),
      "cifar-100-binary/test.bin": record([1, 1], 0),
    });
    const train = await loadCifar100(root);
    assertEquals([train.name, train.classes], ["cifar100", ["apple", "aquarium_fish"]]);
    assertEquals(train.labels, Int32Array.of(1, 0));
  });
});

Deno.test("loadCifar10() extracts the archive it finds", async () => {
  await withFolder(async (root) => {
    const entries = Object.entries(cifar10Files()).map(([name, data]) => ({ name, data }));
    await Deno.writeFile(`${root}/cifar-10-binary.tar.gz`, await gzip(makeTar(entries)));
    const steps: string[] = [];
    const train = await loadCifar10(root, { onProgress: ({ step, name }) => steps.push(`${step} ${name}`) });
    assertEquals(train.length, 10);
    assertEquals(steps, ["extract cifar-10-binary.tar.gz"]);
    await Deno.remove(`${root}/cifar-10-binary.tar.gz`);
    assertEquals((await loadCifar10(root)).length, 10, "the folder stays");
  });
});

Deno.test("loadCifar10() throws when the archive holds something else", async () => {
  await withFolder(async (root) => {
    await Deno.writeFile(`${root}/cifar-10-binary.tar.gz`, await gzip(makeTar([{ name: "other/a.txt" }])));
    await assertRejects(
      () => loadCifar10(root),
      SyntaxError,
      `Cannot load CIFAR-10 from "${root}/cifar-10-binary.tar.gz": the archive holds no "cifar-10-batches-bin/test_batch.bin"`,
    );
  });
});

Deno.test("loadCifar10() says what to put where", async () => {
  await withFolder(async (root) => {
    const options = { download: false };
    await assertRejects(
      () => loadCifar10(`${root}/absent`, options),
      Deno.errors.NotFound,
      `Cannot load CIFAR-10 from "${root}/absent": the folder is absent; put one of `,
    );
    await assertRejects(
      () => loadCifar10(root, options),
      Deno.errors.NotFound,
      `none of its forms is there; put one of `,
    );
    await Deno.mkdir(`${root}/cifar-10-batches-bin`);
    await assertRejects(
      () => loadCifar10(root, options),
      Deno.errors.NotFound,
      `"cifar-10-batches-bin" lacks "test_batch.bin"`,
    );
  });
});

Deno.test("loadCifar10() throws on damaged files", async () => {
  await withFolder(async (root) => {
    await writeFiles(root, cifar10Files());
    const path = `${root}/cifar-10-batches-bin/data_batch_3.bin`;
    const fails = (error: typeof Deno.errors.NotFound | typeof SyntaxError, message: string) =>
      assertRejects(() => loadCifar10(root), error, `Cannot read "${path}": ${message}`);
    await Deno.writeFile(path, record([0], 0).subarray(0, 3000));
    await fails(SyntaxError, "size must be a multiple of 3073 bytes: current size is 3000, the file is cut off");
    await Deno.writeFile(path, new Uint8Array());
    await fails(SyntaxError, "size must be a multiple of 3073 bytes: current size is 0, the file is cut off");
    await Deno.writeFile(path, concat([record([0], 0), record([3], 0)]));
    await fails(SyntaxError, "record 1 has label 3 but there are 3 classes");
    await Deno.remove(path);
    await fails(Deno.errors.NotFound, "the file is absent");
  });
});

async function withFixture(name: string, body: (root: string) => Promise<void>) {
  await withFolder(async (root) => {
    await Deno.copyFile(new URL(`../fixtures/${name}`, import.meta.url), `${root}/${name}`);
    await body(root);
  });
}

/** Pixel p of plane c of image k of batch b is (16 b + k + 3 p + c) % 256 in the fixtures. */
function fixtureImage(batch: number, k: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, i) => (16 * batch + k + i) % 256);
}

Deno.test("loadCifar10() reads the Python layout as Python 2 pickled it", async () => {
  await withFixture("cifar-10-python.tar.gz", async (root) => {
    const train = await loadCifar10(root);
    assertEquals([train.length, train.classes], [10, ["airplane", "bird", "cat"]]);
    assertEquals(train.labels, Int32Array.of(1, 2, 2, 2, 0, 2, 1, 2, 2, 2));
    assertEquals(train.paths?.slice(0, 3), ["airplane_s_000001.png", "cat_s_000001.png", "airplane_s_000002.png"]);
    assertEquals(train.pixels.data.subarray(0, 3072), fixtureImage(1, 0));
    assertEquals(train.pixels.data.subarray(9 * 3072), fixtureImage(5, 1));
    const test = await loadCifar10(root, { split: "test" });
    assertEquals([test.length, test.paths?.[0]], [2, "airplane_s_000006.png"]);
  });
});

Deno.test("loadCifar100() reads the Python layout and takes the fine labels", async () => {
  await withFixture("cifar-100-python.tar.gz", async (root) => {
    const test = await loadCifar100(root, { split: "test" });
    assertEquals([test.classes, test.paths], [["apple", "aquarium_fish"], ["a.png", "b.png", "c.png"]]);
    assertEquals(test.labels, Int32Array.of(1, 0, 1));
    assertEquals(test.pixels.data.subarray(2 * 3072), fixtureImage(2, 2));
  });
});

Deno.test("loadCifar10() reads what Python 3 pickled", async () => {
  await withFixture("cifar-10-python.tar.gz", async (root) => {
    await loadCifar10(root); // extracts
    const path = `${root}/cifar-10-batches-py/test_batch`;
    await Deno.copyFile(new URL("../fixtures/cifar_python3.pickle", import.meta.url), path);
    const test = await loadCifar10(root, { split: "test" });
    assertEquals([test.labels, test.paths], [Int32Array.of(0, 1), ["a.png", "b.png"]]);
    assertEquals(test.pixels.data.subarray(3072), fixtureImage(1, 1));
  });
});

Deno.test("loadCifar10() throws on pickles that are damaged, something else, or want to execute something", async () => {
  await withFixture("cifar-10-python.tar.gz", async (root) => {
    await loadCifar10(root); // extracts
    const path = `${root}/cifar-10-batches-py/data_batch_2`;
    const good = await Deno.readFile(path);
    const fails = async (bytes: Uint8Array | string, message: string) => {
      await Deno.writeFile(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
      await assertRejects(() => loadCifar10(root), SyntaxError, `Cannot read "${path}"${message}`);
    };
    await fails(good.subarray(0, 3000), ": ");
    await fails("", ": ");
    await fails("cos\nsystem\n(S'touch evil'\ntR.", ": ");
    await fails("(lp0\n.", " as it must be a pickled dictionary");
    await fails("(dp0\n.", ` as "data" must be an array u8 [n,3072]: got none`);
    const meta = `${root}/cifar-10-batches-py/batches.meta`;
    const fixture = (name: string) => Deno.readFile(new URL(`../fixtures/${name}`, import.meta.url));
    await fails(
      await fixture("cifar_count.pickle"),
      " as there must be a label and a name for each image: got 0 images, 1 labels and 0 names",
    );
    await fails(await fixture("cifar_labels.pickle"), ` as "labels" must be a list of numbers`);
    await Deno.writeFile(path, good);
    await Deno.writeTextFile(meta, "(dp0\nS'label_names'\n(lp1\nS'one'\nas.");
    await assertRejects(() => loadCifar10(root), SyntaxError, "it has label 1 but there are 1 classes");
    await Deno.writeTextFile(meta, "(dp0\nS'label_names'\nI3\ns.");
    await assertRejects(
      () => loadCifar10(root),
      SyntaxError,
      `Cannot read "${meta}" as "label_names" must be a list of texts`,
    );
    await Deno.remove(meta);
    await assertRejects(() => loadCifar10(root), Deno.errors.NotFound, `Cannot read "${meta}": the file is absent`);
  });
});

Deno.test("loadCifar10() reads Python 3's protocols 0 to 2, images in four dimensions, and files without names", async () => {
  await withFixture("cifar-10-python.tar.gz", async (root) => {
    await loadCifar10(root); // extracts
    for (const protocol of [0, 1, 2]) {
      const fixture = new URL(`../fixtures/cifar_protocol${protocol}.pickle`, import.meta.url);
      await Deno.copyFile(fixture, `${root}/cifar-10-batches-py/test_batch`);
      const test = await loadCifar10(root, { split: "test" });
      assertEquals([test.labels, test.paths], [Int32Array.of(2), undefined]);
      assertEquals(test.pixels.data, fixtureImage(1, 0));
    }
  });
});

Deno.test("loadCifar10() loads what is there where the other split is not, and downloads nothing over it", async () => {
  await withFixture("cifar-10-python.tar.gz", async (root) => {
    assertEquals((await loadCifar10(root)).length, 10);
    await Deno.remove(`${root}/cifar-10-python.tar.gz`);
    await Deno.remove(`${root}/cifar-10-batches-py/test_batch`);
    assertEquals((await loadCifar10(root)).length, 10);
    await assertRejects(
      () => loadCifar10(root, { split: "test" }),
      Deno.errors.NotFound,
      `Cannot read "${root}/cifar-10-batches-py/test_batch": the file is absent`,
    );
  });
});
