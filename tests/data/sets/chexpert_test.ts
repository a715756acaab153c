import { assertEquals, assertRejects } from "@std/assert";
import { loadCheXpert } from "../../../src/data/sets/chexpert.ts";
import { loadPrior } from "../../../src/data/priors/prior.ts";
import { withFolder, writeFiles } from "../_helpers.ts";

// The header of the real files, in its own order; the last fourteen columns are the findings.
const HEADER =
  "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion," +
  "Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices";
const ROWS = [
  "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0",
  "CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Female,87,Frontal,AP,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,",
  "CheXpert-v1.0-small/train/patient00002/study1/view2_lateral.jpg,Female,83,Lateral,,,,,1.0,,,-1.0,,,,,,1.0,",
  "CheXpert-v1.0-small/train/patient00003/study1/view1_frontal.jpg,Male,41,Frontal,PA,,,,,,1.0,,,,0.0,,,,",
];
const CSV = [HEADER, ...ROWS, ""].join("\n");
const NAMES = ROWS.map((row) => row.slice("CheXpert-v1.0-small/".length, row.indexOf(",")));
const IMAGES = Object.fromEntries(NAMES.map((name) => [name, ""]));

async function withTree(body: (root: string) => Promise<void>, files: Record<string, string> = {}) {
  await withFolder(async (root) => {
    await writeFiles(`${root}/.`, { "train.csv": CSV, ...IMAGES, ...files });
    await body(root);
  });
}

const NOT = NaN;

Deno.test("loadCheXpert() reads 13 findings in alphabetic order, with NaN for what is not known", async () => {
  await withTree(async (root) => {
    const train = await loadCheXpert(root);
    assertEquals([train.name, train.split, train.length], ["chexpert", "train", 4]);
    assertEquals(train.classes.length, 13);
    assertEquals(train.classes.slice(0, 3), ["Atelectasis", "Cardiomegaly", "Consolidation"]);
    assertEquals(train.paths, NAMES);
    assertEquals(train.files.paths[0], `${root}/${NAMES[0]}`);
    assertEquals(train.files.decode, { grayscale: true });
    const row = (i: number) => [...train.labels.subarray(13 * i, 13 * i + 13)];
    // No Finding: all 0, except Support Devices, which is what the file says.
    assertEquals(row(0), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    // Atelectasis, Cardiomegaly, Consolidation, Edema and Pleural Effusion are uncertain; Fracture and Lung Opacity are there.
    assertEquals(row(1), [NOT, NOT, NOT, NOT, NOT, 1, NOT, 1, NOT, NOT, NOT, NOT, NOT]);
    assertEquals(row(3), [NOT, NOT, NOT, 1, NOT, NOT, NOT, NOT, NOT, NOT, NOT, 0, NOT]);
  });
});

Deno.test("loadCheXpert() does with uncertain and blank labels what is asked for", async () => {
  await withTree(async (root) => {
    const row = async (
      options: Parameters<typeof loadCheXpert>[1],
    ) => [...(await loadCheXpert(root, options)).labels.subarray(13, 26)];
    assertEquals(await row({ uncertain: "one" }), [1, 1, 1, 1, NOT, 1, NOT, 1, 1, NOT, NOT, NOT, NOT]);
    assertEquals(await row({ uncertain: "zero", blank: "zero" }), [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    assertEquals(await row({ uncertain: "gloria" }), [1, 0, 0, 1, NOT, 1, NOT, 1, 1, NOT, NOT, NOT, NOT]);
  });
});

Deno.test("loadCheXpert() filters views before anything else: labels and images stay together", async () => {
  await withTree(async (root) => {
    const all = await loadCheXpert(root);
    for (const [views, kept] of [[["PA"], [3]], [["L"], [2]], [["AP", "PA"], [0, 1, 3]]] as const) {
      const some = await loadCheXpert(root, { views });
      assertEquals(some.paths, kept.map((i) => NAMES[i]));
      assertEquals([...some.labels], kept.flatMap((i) => [...all.labels.subarray(13 * i, 13 * i + 13)]));
      assertEquals(some.notes, [`CheXpert train: ${kept.length} of 4 images have the views wanted`]);
    }
    await assertRejects(
      () => loadCheXpert(root, { views: ["RL"] }),
      RangeError,
      "Cannot load CheXpert as no image has a view of RL: got 4 images",
    );
    await assertRejects(
      () => loadCheXpert(root, { views: ["frontal" as "PA"] }),
      RangeError,
      "Cannot load CheXpert as views must be some of PA, AP, L, LL, RL, UNKNOWN: got frontal",
    );
    await assertRejects(() => loadCheXpert(root, { views: [] }), RangeError, "got none");
  });
});

Deno.test("loadCheXpert() takes the full version, and the folder above", async () => {
  await withFolder(async (root) => {
    const csv = CSV.replaceAll("CheXpert-v1.0-small/", "CheXpert-v1.0/").replaceAll("/train/", "/valid/");
    const images = NAMES.map((name) => [`CheXpert-v1.0/${name.replace("train/", "valid/")}`, ""]);
    await writeFiles(root, { "CheXpert-v1.0/valid.csv": csv, ...Object.fromEntries(images) });
    const valid = await loadCheXpert(root, { split: "valid" });
    assertEquals(valid.files.paths[0], `${root}/CheXpert-v1.0/valid/patient00001/study1/view1_frontal.jpg`);
  });
});

Deno.test("loadCheXpert() names what is damaged or absent", async () => {
  const fails = (files: Record<string, string>, message: string) =>
    withTree(async (root) => {
      await assertRejects(() => loadCheXpert(root), SyntaxError, message.replace("ROOT", root));
    }, files);
  await fails(
    { "train.csv": CSV.replace("0.0,,,,1.0", "0.0,,,,2.0") },
    `Cannot read "ROOT/train.csv" as "Support Devices" must be 1, 0, -1 or blank: got "2.0" for "CheXpert-v1.0-small/${
      NAMES[0]
    }"`,
  );
  await fails({ "train.csv": CSV.replace("No Finding", "NoFinding") }, 'as it must have a column "No Finding"');
  await fails({ "train.csv": CSV.slice(0, -30) }, `Cannot read "ROOT/train.csv": Invalid Record Length`);
  await fails({ "train.csv": "" }, `Cannot read "ROOT/train.csv": the file is empty`);
  await fails(
    { "train.csv": CSV.replaceAll("/study1/", "/study9/") },
    `Cannot use "ROOT" as the images must be there: 3 of 4 that were looked at are absent: "train/patient00001/study9/`,
  );
  await withFolder(async (root) => {
    await assertRejects(
      () => loadCheXpert(root),
      Deno.errors.NotFound,
      `put one of "CheXpert-v1.0-small/", "CheXpert-v1.0/", "CheXpert-v1.0 batch 1 (validate & csv)/" there; CheXpert is to be had from the Stanford ML group`,
    );
  });
});

Deno.test("loadCheXpert() takes blanks for not known, whatever they are made of, and only 1, 0 and -1 for labels", async () => {
  const spaced = CSV.replace("Female,68,Frontal,AP,1.0,,,", "Female,68,Frontal,AP, ,  ,\t,");
  await withTree(async (root) => {
    const { labels } = await loadCheXpert(root);
    assertEquals([...labels.subarray(0, 5)], [NOT, NOT, NOT, NOT, NOT]);
    await Deno.writeTextFile(`${root}/train.csv`, CSV.replace("AP,1.0,", "AP,0x1,"));
    await assertRejects(() => loadCheXpert(root), SyntaxError, 'as "No Finding" must be 1, 0, -1 or blank: got "0x1"');
    await Deno.writeTextFile(`${root}/train.csv`, `${HEADER}\n`);
    await assertRejects(() => loadCheXpert(root), SyntaxError, "as it must have rows: got a header only");
  }, { "train.csv": spaced });
});

Deno.test('loadCheXpert() finds the images of the full version in its "batch N" folders', async () => {
  await withFolder(async (root) => {
    const rows = ROWS.map((row) => row.replace("CheXpert-v1.0-small", "CheXpert-v1.0"));
    const [one, two, three, four] = NAMES.map((name) => name.slice("train/".length));
    const valid = rows[0]!.replace("train/", "valid/");
    await writeFiles(root, {
      "CheXpert-v1.0 batch 1 (validate & csv)/train.csv": [HEADER, ...rows].join("\n"),
      "CheXpert-v1.0 batch 1 (validate & csv)/valid.csv": [HEADER, valid].join("\n"),
      [`CheXpert-v1.0 batch 1 (validate & csv)/valid/${one}`]: "",
      [`CheXpert-v1.0 batch 2 (train 1)/${one}`]: "",
      [`CheXpert-v1.0 batch 2 (train 1)/${two}`]: "",
      [`CheXpert-v1.0 batch 2 (train 1)/${three}`]: "",
      [`CheXpert-v1.0 batch 3 (train 2)/train/${four}`]: "",
    });
    const train = await loadCheXpert(root);
    assertEquals(train.paths, NAMES);
    assertEquals(train.files.paths, [
      ...[one, two, three].map((path) => `${root}/CheXpert-v1.0 batch 2 (train 1)/${path}`),
      `${root}/CheXpert-v1.0 batch 3 (train 2)/train/${four}`,
    ]);
    const first = `${root}/CheXpert-v1.0 batch 1 (validate & csv)`; // which holds the lists, and none of the images
    assertEquals((await loadCheXpert(first)).files.paths, train.files.paths);
    assertEquals((await loadCheXpert(root, { split: "valid" })).files.paths, [
      `${root}/CheXpert-v1.0 batch 1 (validate & csv)/valid/${one}`,
    ]);
  });
});

Deno.test("loadCheXpert() takes each row as an image, and says which paths come twice", async () => {
  await withTree(async (root) => {
    const train = await loadCheXpert(root);
    assertEquals(train.paths, [...NAMES, NAMES[3]!]);
    assertEquals(train.notes, [`CheXpert train: rows that repeat a path count as images: "${NAMES[3]}"`]);
    await Deno.writeTextFile(`${root}/p.csv`, ["Path,u", ...NAMES.map((name, i) => `${name},${i * i}`)].join("\n"));
    assertEquals([...(await loadPrior(`${root}/p.csv`, train)).data], [0, 1, 4, 9, 9]);
  }, { "train.csv": CSV + ROWS[3]! });
});

Deno.test("loadCheXpert() reads no image outside its folder", async () => {
  for (const path of ["../../etc/passwd", "/etc/passwd", "train/../../x.jpg", "train\\..\\..\\x.jpg", "C:/x.jpg"]) {
    await withTree(async (root) => {
      await assertRejects(
        () => loadCheXpert(root),
        SyntaxError,
        `Cannot read "${root}/train.csv" as its images must be inside its folder: got "${path}"`,
      );
    }, { "train.csv": CSV.replace(`CheXpert-v1.0-small/${NAMES[1]}`, path) });
  }
});
