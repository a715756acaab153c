import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { numbersRows } from "../../../src/data/priors/_column_roles.ts";
import { readCsvPrior } from "../../../src/data/priors/_prior_csv.ts";
import { type ImageDataset, NORMALIZATION } from "../../../src/data/dataset.ts";
import { loadPrior, type PriorOptions } from "../../../src/data/priors/prior.ts";
import { leakingColumns } from "../../../src/data/priors/_prior_labels.ts";
import { withFolder } from "../_helpers.ts";

const PATHS = ["a/1.jpg", "b/2.jpg", "b/3.jpg"];

const BIRDS: ImageDataset = {
  ...{ name: "birds", split: "train", length: 3, classes: ["a", "b"], paths: PATHS, resolution: 1, notes: [] },
  labels: Int32Array.of(0, 1, 1),
  pixels: { data: new Uint8Array(9), height: 1, width: 1 },
  ...NORMALIZATION.cifar,
};

/** Loads a table whose first column is the path; the values of the others by column. */
async function load(columns: Record<string, readonly unknown[]>, options: PriorOptions = {}, dataset = BIRDS) {
  const all = { path: PATHS, ...columns };
  const lines = [
    Object.keys(all).join(","),
    ...PATHS.map((_, i) => Object.values(all).map((each) => each[i]).join(",")),
  ];
  let prior: Awaited<ReturnType<typeof loadPrior>> | undefined;
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/p.csv`, lines.join("\n"));
    prior = await loadPrior(`${folder}/p.csv`, dataset, options);
    prior.notes = prior.notes.map((note) => note.replaceAll(folder, ""));
  });
  return prior!;
}

const U = [0.5, 0.25, 0.125];

Deno.test("loadPrior() takes no row numbers, labels, splits or names of a csv for attributes, and says so", async () => {
  const cases: Record<string, readonly unknown[]> = {
    "": [0, 1, 2],
    "Unnamed: 0": [0, 1, 2],
    "Unnamed: 0.1": [2, 0, 1], // of pandas, which wrote an index twice
    "level_0": [2, 0, 1],
    "...1": [3, 1, 2], // of R
    "index": [9, 3, 4],
    "ID": [7, 1, 3],
    "image_id": [7, 1, 3],
    "uid": [7, 1, 3],
    "split_id": [0, 1, 0],
    "kfold": [0, 1, 0],
    "whatever": [17, 18, 19], // numbers the rows
    "ImageID": [7, 1, 3],
    "__index_level_0__": [7, 1, 3], // of pyarrow
    "row_num": [7, 1, 3],
    "train_test_split": [0, 1, 0],
    "isTrain": [1, 1, 0],
    "fold_0": [0, 1, 0],
    "TrueLabel": [3, 0, 7],
    "class:": [3, 0, 7],
    "label (int)": [3, 0, 7],
    "SubCategory": [3, 0, 7],
    "superclass": [3, 0, 7],
    "class": [0, 1, 1],
    "Label": [0, 1, 1],
    "target": [0, 1, 1],
    "label2": [3, 0, 7],
    "y_true": [1, 0, 1],
    "GT": [1, 0, 1],
    "class_id": [1, 2, 2],
    "Species": ["finch", "gull", "gull"],
    "y": [0, 1, 1],
    "split": ["train", "train", "train"],
    "is_training_image": [1, 1, 0], // of CUB
    "B": [0, 1, 1], // the name of a class
    "kind": [4, 9, 9], // tells the class
  };
  for (const [name, values] of Object.entries(cases)) {
    const prior = await load({ [name]: values, u: U });
    assertEquals([prior.columns, [...prior.data]], [["u"], U], name);
    assert(prior.notes.some((note) => note.includes(`"${name}"`)), `${name}: ${prior.notes}`);
  }
  const { notes } = await load({ kind: [4, 9, 9], u: U });
  assertEquals(notes, [
    'columns of "/p.csv" that are the prior: "u"; left out: "kind"',
    'column "kind" of "/p.csv" tells the class of each image and is left out',
  ]);
  await assertRejects(() => load({ whatever: [17, 18, 19] }), SyntaxError, 'got none besides "path", "whatever"');
  assert(numbersRows("4 2 9 3 8 5 7 6".split(" ")), "numbers of rows that were shuffled");
  for (const other of ["4 2 9 3 8 5 7 7", "4 2 9 3 8 5 7 10", "4 2 9 3 8 5 7 x", "4 2 5 3"]) {
    assert(!numbersRows(other.split(" ")));
  }
  await assertRejects(
    () => load({ kind: [4, 9, 9] }),
    SyntaxError,
    'as a prior must not be the labels: column "kind" of',
  );
});

Deno.test("loadPrior() takes no one-hot code of the classes for attributes, but what one class alone has", () => {
  const dataset = { ...BIRDS, length: 4, classes: ["a", "b", "c"], labels: Int32Array.of(0, 1, 2, 2) };
  const [a, b, c, other] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 3], [1, 0, 1, 0]] as const;
  const leaks = (...columns: (readonly number[])[]) =>
    leakingColumns(
      Float32Array.from([0, 1, 2, 3].flatMap((i) => columns.map((each) => each[i]!))),
      columns.length,
      dataset,
    );
  assertEquals(leaks(a, other, b, c), [0, 2, 3]);
  assertEquals(leaks(a, other, c), [0, 2], "without the first, as pandas' drop_first");
  assertEquals(leaks(a, other), []);
});

Deno.test("loadPrior() takes the columns that are named, and says where one tells the class", async () => {
  const prior = await load({ kind: [4, 9, 9], id: [3, 1, 2], u: U }, { columns: ["id", "kind"] });
  assertEquals([prior.columns, [...prior.data]], [["id", "kind"], [3, 4, 1, 9, 2, 9]]);
  assertEquals(prior.notes, [
    'columns of "/p.csv" that are the prior: "id", "kind"; left out: "u"',
    'column "kind" of "/p.csv" tells the class of each image: learning from the prior is then learning from labels',
  ]);
  assertEquals((await load({ " u": U }, { columns: ["u"] })).columns, ["u"], "blanks are no part of a name");
  assertEquals((await load({ x: [3, 1, 2], y: [7, 9, 8] })).columns, ["x", "y"], "places in a picture");
  await assertRejects(() => load({ u: U }, { columns: ["v"] }), SyntaxError, 'as it must have a column "v"');
  await assertRejects(
    () => load({ u: U, v: U }, { columns: ["u", "v", "u"] }),
    TypeError,
    'Cannot choose columns of a prior as none may be named twice: got "u" twice',
  );
  const file = new URL("../fixtures/priors/plain.npz", import.meta.url).pathname;
  await assertRejects(
    () => loadPrior(file, BIRDS, { columns: ["v"] }),
    TypeError,
    `Cannot choose columns of a prior as only a .csv file names them: got "${file}"`,
  );
});

Deno.test("loadPrior() compares names of classes with those of the images", async () => {
  assertEquals([...(await load({ class: ["a", "b", "b"], u: U })).data], U);
  await assertRejects(() => load({ class: ["a", "b", "a"], u: U }), TypeError, "1 of 3 differ, in rows 2");
  const { notes } = await load({ class: ["a", "gull", "b"], u: U });
  assertEquals(notes[1], 'labels of "/p.csv" were not compared: "gull" are no classes of "birds" (train)');
});

Deno.test("loadPrior() takes a blank for a missing value, whatever it is made of, and only decimals for numbers", async () => {
  for (const blank of ["", " ", "   ", "NaN", "NA", "null"]) {
    await assertRejects(() => load({ u: [1, blank, 3] }), RangeError, 'NaN or infinity in 1 rows: 1 ("b/2.jpg")');
  }
  for (const text of ["0x10", "Infinity", "inf", "1_000", "1;5", "big"]) {
    await assertRejects(() => load({ u: [1, text, 3] }), SyntaxError, `must hold numbers: got "${text}" in row 1`);
  }
  assertEquals([...(await load({ u: [" 1.5 ", "-2e-1", ".5"] })).data], [1.5, Math.fround(-0.2), 0.5]);
});

Deno.test("loadPrior() joins names that are written composed and decomposed", async () => {
  const dataset = { ...BIRDS, paths: ["a/caf\u00e9.jpg", "b/2.jpg", "b/3.jpg"] };
  const prior = await load({ path: ["a/cafe\u0301.jpg", "b/2.jpg", "b/3.jpg"], u: U }, {}, dataset);
  assertEquals([...prior.data], U);
});

Deno.test("loadPrior() reads rows of a csv that end in CR LF, LF and CR", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/p.csv`, 'path,u,v\r\na/1.jpg,1,"2"\nb/2.jpg,3,4\rb/3.jpg,5,6\r\n');
    assertEquals([...(await loadPrior(`${folder}/p.csv`, BIRDS)).data], [1, 2, 3, 4, 5, 6]);
  });
});

Deno.test("readCsvPrior() names the columns of a wide csv in less time than it takes to read it", async () => {
  await withFolder(async (folder) => {
    const columns = Array.from({ length: 60_000 }, (_, i) => `f${i}`);
    await Deno.writeTextFile(`${folder}/p.csv`, `${columns}\n${columns.map((_, i) => i * 7 % 5)}\n`);
    const start = performance.now();
    const { note, columns: read } = await readCsvPrior(`${folder}/p.csv`);
    const middle = performance.now();
    note!(read!);
    assertLess(performance.now() - middle, middle - start);
  });
});

Deno.test("loadPrior() loses no first line of a csv without a header", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/p.csv`;
    for (const first of ["0.5,0.25", "1,0", "1", "-3", "0,0,1", "1e-3,nan", "0,2", "7,0,1", " 0.5 ,1"]) {
      await Deno.writeTextFile(file, `${first}\n`.repeat(4)); // a row more than there are images
      await assertRejects(
        () => loadPrior(file, BIRDS),
        SyntaxError,
        `Cannot read "${file}" as its first line must name the columns: got `,
      );
    }
    for (const header of ["0,1", "0", "2019,w", ",0,1", "u,1"]) { // pandas counts columns without names
      await Deno.writeTextFile(file, `${header}\n${`${header.replace(/[^,]+/g, "0.5")}\n`.repeat(3)}`);
      assertEquals(
        (await loadPrior(file, BIRDS)).data.length,
        3 * header.split(",").filter((name) => name !== "").length,
      );
    }
  });
});

Deno.test("loadPrior() refuses a csv without rows, with a column twice, or in another encoding", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/p.csv`;
    const fails = async (data: string | Uint8Array, message: string) => {
      await Deno.writeFile(file, typeof data === "string" ? new TextEncoder().encode(data) : data);
      await assertRejects(() => loadPrior(file, BIRDS), SyntaxError, message);
    };
    await fails("path,u\n", `Cannot read "${file}" as it must have rows: got a header only`);
    await fails("", `Cannot read "${file}": the file is empty`);
    await fails("path,u,u\na/1.jpg,1,2\n", `Cannot read "${file}" as no two columns may have one name: got "u" twice`);
    for (const mark of [";", "\t"]) {
      await fails(
        `path${mark}u\na/1.jpg${mark}1\n`,
        `Cannot read "${file}" as its columns must be separated by commas: got`,
      );
    }
    const latin1 = Uint8Array.from("path,u\ncaf\u00e9.png,1\n", (each) => each.charCodeAt(0));
    await fails(latin1, `Cannot read "${file}" as it must be text in UTF-8: save it as such`);
  });
});
