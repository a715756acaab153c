import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ImageDataset, type Labels, NORMALIZATION } from "../../../src/data/dataset.ts";
import { collectPrior, loadPrior, savePrior } from "../../../src/data/priors/prior.ts";
import { isNdArray, readNpz, writeNpz, writeSafetensors } from "../../../src/formats/mod.ts";
import { withFolder } from "../_helpers.ts";

const PRIORS = new URL("../fixtures/priors/", import.meta.url).pathname;
const PATHS = ["x/a.jpg", "x/b.jpg", "z/c.jpg"];
const VALUES = Float32Array.of(0, 1, 2, 3, 4, 5);

function dataset(paths: string[] | undefined = undefined, labels: Labels = Int32Array.of(0, 1, 1)): ImageDataset {
  return {
    name: "birds",
    split: "train",
    length: 3,
    classes: ["a", "b"],
    labels,
    ...(paths ? { paths } : {}),
    pixels: { data: new Uint8Array(9), height: 1, width: 1 },
    ...NORMALIZATION.cifar,
    resolution: 1,
    notes: [],
  };
}

const WITHOUT_NAMES = (file: string) =>
  `"${file}" has no file names that can be compared: its rows are taken to be in the order of the images`;

Deno.test("loadPrior() reads every shape that the original writes", async () => {
  for (const name of ["plain.npz", "double.npz", "threedim.npz", "plain.npy"]) {
    const prior = await loadPrior(PRIORS + name, dataset());
    assertEquals([prior.dim, prior.data], [2, VALUES], name);
    assertEquals(prior.notes, [WITHOUT_NAMES(PRIORS + name)]);
  }
  const column = await loadPrior(`${PRIORS}column.npz`, dataset());
  assertEquals([column.dim, column.data], [1, Float32Array.of(0, 2, 4)]);
});

Deno.test("loadPrior() refuses a prior that is 0, or one number, as f32 alone", async () => {
  await withFolder(async (folder) => {
    const write = async (file: string, values: number[]) => {
      const data = Float64Array.from(values);
      if (file.endsWith("csv")) await Deno.writeTextFile(file, `attr_val\n${values.join("\n")}\n`);
      else await Deno.writeFile(file, await writeNpz({ prior: { shape: [3], dtype: "f64", data } }));
    };
    for (const file of [`${folder}/prior.npz`, `${folder}/prior.csv`]) {
      await write(file, [1e-40, 2e-300, 0]);
      await assertRejects(
        () => loadPrior(file, dataset()),
        RangeError,
        `Cannot use "${file}" as a prior as values must be 1.2e-38 and more to differ from 0 as f32: got smaller ones alone`,
      );
      for (const values of [[0, 0, 0], [1, 1e-300, 0]]) { // probabilities that are next to nothing are 0
        await write(file, values);
        assertEquals((await loadPrior(file, dataset())).data, Float32Array.from(values));
      }
      await write(file, [1767225600, 1767225610, 1767225620]); // times in seconds
      await assertRejects(
        () => loadPrior(file, dataset()),
        RangeError,
        `Cannot use "${file}" as a prior as values that differ must differ as f32: all of column 0 become 1767225600; subtract`,
      );
    }
  });
});

Deno.test("loadPrior() puts rows in order by name", async () => {
  const prior = await loadPrior(`${PRIORS}named.npz`, dataset(PATHS));
  assertEquals([prior.data, prior.notes, prior.unmatched], [VALUES, [], []]);
  const deeper = await loadPrior(`${PRIORS}named.npz`, dataset(PATHS.map((path) => `data/birds/${path}`)));
  assertEquals(deeper.data, VALUES, "the last two parts are enough");
  const flat = await loadPrior(`${PRIORS}named.npz`, dataset(["a.jpg", "b.jpg", "c.jpg"]));
  assertEquals(flat.data, VALUES, "the file name is enough when it is unique");
  await assertRejects(
    () => loadPrior(`${PRIORS}named.npz`, dataset(["x/a.jpg", "x/q.jpg", "z/c.jpg"])),
    TypeError,
    `Cannot use "${PRIORS}named.npz" as each image must have a row: 1 of 3 have none: "x/q.jpg"; its names look like "z/c.jpg"`,
  );
});

Deno.test("loadPrior() reads csv: attr_val columns, or all that are numbers", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/a.csv`;
    const rows = ["x/b.jpg,7,2,3", "q/extra.jpg,7,9,9", "z/c.jpg,7,4,5", "x/a.jpg,7,0,1"];
    await Deno.writeTextFile(file, ["path,age,attr_val_0,attr_val_1", ...rows].join("\r\n"));
    const prior = await loadPrior(file, dataset(PATHS));
    assertEquals([prior.data, prior.columns], [VALUES, ["attr_val_0", "attr_val_1"]]);
    assertEquals(prior.unmatched, ["q/extra.jpg"]);
    assertEquals(prior.notes, [
      `columns of "${file}" that are the prior: "attr_val_0", "attr_val_1"; left out: "age"`,
      `1 of 4 rows of "${file}" belong to no image and are not used: "q/extra.jpg"`,
    ]);

    await Deno.writeTextFile(file, "file,label,wings,tail\na.jpg,0,0,true\nb.jpg,1,2,false\nc.jpg,1,1e1,-0.5\n");
    const plain = await loadPrior(file, dataset(["a.jpg", "b.jpg", "c.jpg"]));
    assertEquals([plain.data, plain.columns], [Float32Array.of(0, 1, 2, 0, 10, -0.5), ["wings", "tail"]]);
    await assertRejects(
      () => loadPrior(file, dataset(["c.jpg", "b.jpg", "a.jpg"])),
      TypeError,
      "its labels must be those",
    );

    await Deno.writeTextFile(file, "wings\n1\n\n3\n");
    await assertRejects(() => loadPrior(file, dataset()), TypeError, "got 2 rows and 3 images");
    await Deno.writeTextFile(file, "wings,tail\n1,2\n,4\n3,4\n");
    await assertRejects(() => loadPrior(file, dataset()), RangeError, "NaN or infinity in 1 rows: 1");
    await Deno.writeTextFile(file, "wings\n1\nbig\n3\n");
    await assertRejects(
      () => loadPrior(file, dataset()),
      SyntaxError,
      `Cannot read "${file}" as column "wings" must hold numbers: got "big" in row 1`,
    );
    await Deno.writeTextFile(file, "path,label\na,1\n");
    await assertRejects(() => loadPrior(file, dataset()), SyntaxError, "as it must have a column of values: got none");
    await Deno.writeTextFile(file, "path,v\na,1\na,4\nb,3\n");
    await assertRejects(
      () => loadPrior(file, dataset(PATHS)),
      SyntaxError,
      `Cannot use "${file}" as no file name may come twice: got "a" twice`,
    );
  });
});

Deno.test("loadPrior() reads safetensors, with names in the metadata", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/a.safetensors`;
    const prior = { shape: [3, 2], dtype: "f32", data: Float32Array.of(4, 5, 0, 1, 2, 3) } as const;
    await Deno.writeFile(
      file,
      writeSafetensors({ prior }, { paths: JSON.stringify(["z/c.jpg", "x/a.jpg", "x/b.jpg"]) }),
    );
    assertEquals((await loadPrior(file, dataset(PATHS))).data, VALUES);
    await Deno.writeFile(file, writeSafetensors({ prior }, { paths: "z/c.jpg" }));
    await assertRejects(
      () => loadPrior(file, dataset(PATHS)),
      SyntaxError,
      `Cannot read "${file}" as its metadata "paths" must be a list of names in JSON`,
    );
  });
});

Deno.test("loadPrior() compares labels, and says when it cannot", async () => {
  await assertRejects(
    () => loadPrior(`${PRIORS}wrong_labels.npz`, dataset()),
    TypeError,
    `Cannot use "${PRIORS}wrong_labels.npz" as its labels must be those of "birds" (train): 1 of 3 differ, in rows 1`,
  );
  const prior = await loadPrior(`${PRIORS}all_labels.npz`, dataset());
  assert(prior.notes[1]?.startsWith(`labels of "${PRIORS}all_labels.npz" [10,1] were not compared`), prior.notes[1]);
  const multi = (labels: number[]) => dataset(undefined, Float32Array.from(labels));
  assertEquals((await loadPrior(`${PRIORS}multi.npz`, multi([0, NaN, 1, 0, NaN, 1]))).data, VALUES, "NaN fits all");
  await assertRejects(
    () => loadPrior(`${PRIORS}multi.npz`, multi([0, NaN, 1, 1, NaN, 1])),
    TypeError,
    "1 of 3 differ, in rows 1",
  );
  assertEquals((await loadPrior(`${PRIORS}wrong_labels.npz`, dataset(undefined, null))).data, VALUES);
});

Deno.test("loadPrior() compares names of classes beside arrays, and refuses texts for other rows and rows of nothing", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/p.npz`;
    const prior = { shape: [3, 2], dtype: "f32", data: VALUES } as const;
    const texts = (...data: string[]) => ({ shape: [data.length], dtype: "string", data }) as const;
    const load = async (arrays: Parameters<typeof writeNpz>[0]) => {
      await Deno.writeFile(file, await writeNpz(arrays));
      return await loadPrior(file, dataset(PATHS));
    };
    assertEquals((await load({ prior, labels: texts("a", "b", "b") })).data, VALUES);
    await assertRejects(() => load({ prior, labels: texts("a", "a", "b") }), TypeError, "1 of 3 differ, in rows 1");
    const refused = (arrays: Parameters<typeof writeNpz>[0], rule: string) =>
      assertRejects(() => load(arrays), SyntaxError, `Cannot read "${file}" as ${rule}`);
    await refused({ prior, labels: texts("a") }, "it must have a label for each of its 3 rows: got [1]");
    await refused({ prior, paths: texts(...PATHS, "d") }, "it must have a name for each of its 3 rows: got [4]");
    const none = { shape: [3, 0], dtype: "f32", data: new Float32Array() } as const;
    await refused({ prior: none }, "its rows must have values: got [3,0]");
    await refused({ prior: { ...none, shape: [3, 0, 2] } }, "its rows must have values: got [3,0,2]");
    await assertRejects(() => readNpz(Deno.readFileSync(file), { maxBytes: NaN }), RangeError, "maxBytes is NaN");
  });
});

Deno.test("loadPrior() throws on NaN, on another number of rows, and on files that are none", async () => {
  await assertRejects(
    () => loadPrior(`${PRIORS}nan.npz`, dataset()),
    RangeError,
    `Cannot use "${PRIORS}nan.npz" as a prior must be finite: NaN or infinity in 1 rows: 1`,
  );
  await assertRejects(
    () => loadPrior(`${PRIORS}plain.npz`, { ...dataset(), length: 4 }),
    TypeError,
    `Cannot use "${PRIORS}plain.npz" as it must have a row for each image of "birds" (train): got 3 rows and 4 images`,
  );
  await assertRejects(
    () => loadPrior(`${PRIORS}other.npz`, dataset()),
    SyntaxError,
    `as it must hold an array "prior" of shape [n,dim], [n] or [n,k,dim]: got "features" f32 [3,2]`,
  );
  await assertRejects(() => loadPrior(`${PRIORS}absent.npz`, dataset()), Deno.errors.NotFound);
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.pkl`, Uint8Array.of(0x80, 4, 0x4e, 0x2e));
    await assertRejects(
      () => loadPrior(`${folder}/a.pkl`, dataset()),
      TypeError,
      `Cannot read a prior as "${folder}/a.pkl" must be .npz, .npy, .safetensors or .csv: got a pickle`,
    );
    await Deno.writeFile(`${folder}/a.npz`, (await Deno.readFile(`${PRIORS}plain.npz`)).subarray(0, 200));
    await assertRejects(() => loadPrior(`${folder}/a.npz`, dataset()), SyntaxError, `Cannot read "${folder}/a.npz"`);
  });
});

Deno.test("savePrior() writes what loadPrior() reads, with labels and names", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/a.npz`;
    await savePrior(file, { data: VALUES, dim: 2 }, dataset(PATHS));
    assertEquals([...(await readNpz(await Deno.readFile(file))).keys()], ["prior", "labels", "paths"]);
    const back = await loadPrior(file, dataset(PATHS));
    assertEquals([back.data, back.dim, back.notes], [VALUES, 2, []]);
    const multi = dataset(undefined, Float32Array.of(0, 1, NaN, 0, 1, 1));
    await savePrior(file, { data: VALUES, dim: 2 }, multi);
    const labels = (await readNpz(await Deno.readFile(file))).get("labels");
    assertEquals(isNdArray(labels) && labels.shape, [3, 2]);
    await assertRejects(
      () => savePrior(file, { data: VALUES, dim: 3 }, dataset()),
      TypeError,
      "Cannot save a prior as it must have a row for each image: got 6 values, dim 3 and 3 images",
    );
    await assertRejects(
      () => savePrior(file, { data: Float32Array.of(1, Infinity, 3), dim: 1 }, dataset(PATHS)),
      RangeError,
      `as a prior must be finite: NaN or infinity in 1 rows: 1 ("x/b.jpg")`,
    );
  });
});

Deno.test("collectPrior() takes a row for each image from any iterable", async () => {
  async function* rows() {
    for (let i = 0; i < 3; i++) yield await Promise.resolve([2 * i, 2 * i + 1]);
  }
  assertEquals(await collectPrior(rows(), dataset()), { data: VALUES, dim: 2 });
  assertEquals(await collectPrior([[1], [2], [3]], dataset()), { data: Float32Array.of(1, 2, 3), dim: 1 });
  const fails = (rows: number[][], error: typeof TypeError | typeof RangeError, message: string) =>
    assertRejects(() => collectPrior(rows, dataset()), error, message);
  await fails([[1], [2]], TypeError, "as there must be a row for each image: got 2 rows and 3 images");
  await fails([[1], [2], [3], [4]], TypeError, "got 4 rows and 3 images");
  await fails([[1], [2, 3], [4]], TypeError, "as all rows must have one length: row 0 has 1 values, row 1 2");
  await fails([[1], [NaN], [4]], RangeError, "NaN or infinity in 1 rows: 1");
});
