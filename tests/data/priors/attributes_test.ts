import { assertEquals, assertRejects } from "@std/assert";
import { loadCubAttributes, loadUtZapposAttributes } from "../../../src/data/priors/attributes.ts";
import { type FileDataset, NORMALIZATION } from "../../../src/data/dataset.ts";
import { withFolder, writeFiles } from "../_helpers.ts";

function dataset(name: string, paths: string[], labels: number[]): FileDataset {
  return {
    name,
    split: "train",
    length: paths.length,
    classes: ["a", "b"],
    labels: Int32Array.from(labels),
    files: { paths, decode: {}, evaluation: {} },
    paths,
    ...NORMALIZATION.cub200,
    resolution: 224,
    notes: [],
  };
}

// Four images of two classes; the last one is of the other split.
const BIRDS = dataset("cub200", ["001.A/1.jpg", "001.A/2.jpg", "002.B/4.jpg"], [0, 0, 1]);
const CUB = {
  "attributes.txt": "1 has_bill_shape::curved\n2 has_bill_shape::dagger\n",
  "CUB_200_2011/images.txt": "1 001.A/2.jpg\n2 001.A/1.jpg\n3 002.B/3.jpg\n4 002.B/4.jpg\n",
  "CUB_200_2011/attributes/image_attribute_labels.txt": [
    "1 1 1 4 2.5",
    "1 2 1 2 2.5", // there, but guessed
    "2 1 1 3 2.5",
    "2 2 0 4 2.5",
    "3 1 0 1 0.0",
    "3 2 0 1 0.0",
    "4 1 0 0 3 2.5", // a surplus zero, as in the published file
    "4 2 1 4 1.0",
    "",
  ].join("\n"),
};

async function withFiles(files: Record<string, string>, body: (root: string) => Promise<void>) {
  await withFolder(async (root) => {
    await writeFiles(`${root}/.`, files);
    await body(root);
  });
}

Deno.test("loadCubAttributes() rebuilds the attributes from CUB's annotations", async () => {
  await withFiles(CUB, async (root) => {
    const path = `${root}/CUB_200_2011/attributes/image_attribute_labels.txt`;
    const prior = await loadCubAttributes(root, BIRDS);
    assertEquals(prior.columns, ["has_bill_shape::curved", "has_bill_shape::dagger"]);
    assertEquals([...prior.data], [1, 0, 1, 0, 0, 1]);
    assertEquals(prior.notes, [
      `attributes rebuilt from "${path}": 2 columns, 1 where certainty is at least 3`,
      `1 lines of "${path}" have surplus fields, which were skipped`,
    ]);
    assertEquals([...(await loadCubAttributes(root, BIRDS, { minCertainty: 2 })).data], [1, 0, 1, 1, 0, 1]);
    assertEquals([...(await loadCubAttributes(root, BIRDS, { minCertainty: 4 })).data], [0, 0, 1, 0, 0, 1]);
    const majority = await loadCubAttributes(root, BIRDS, { minCertainty: 2, majority: true });
    assertEquals([...majority.data], [1, 0, 1, 0, 0, 1], "half of the class is not the majority");
  });
});

Deno.test("loadCubAttributes() prefers the original's file, and one that is named", async () => {
  const csv = ["path,class,attr_val_0,attr_val_1", "002.B/4.jpg,1,5,6", "001.A/2.jpg,0,3,4", "001.A/1.jpg,0,1,2"].join(
    "\n",
  );
  await withFiles({ ...CUB, "meta_data_bin_train.csv": csv }, async (root) => {
    const prior = await loadCubAttributes(root, BIRDS);
    assertEquals([...prior.data], [1, 2, 3, 4, 5, 6]);
    assertEquals(prior.notes, [
      `attributes from "${root}/meta_data_bin_train.csv": 2 columns`,
      `columns of "${root}/meta_data_bin_train.csv" that are the prior: "attr_val_0", "attr_val_1"; left out: "class"`,
    ]);
    await Deno.writeTextFile(`${root}/mine.csv`, csv.replaceAll("attr_val", "wing").replaceAll("class", "label"));
    assertEquals((await loadCubAttributes(root, BIRDS, { file: `${root}/mine.csv` })).columns, ["wing_0", "wing_1"]);
    await Deno.writeTextFile(`${root}/meta_data_bin_train.csv`, csv.slice(0, csv.lastIndexOf("\n")));
    await assertRejects(
      () => loadCubAttributes(root, BIRDS),
      TypeError,
      `as each image must have a row: 1 of 3 have none: "001.A/1.jpg"`,
    );
  });
});

Deno.test("loadCubAttributes() names what is damaged or absent", async () => {
  const labels = "CUB_200_2011/attributes/image_attribute_labels.txt";
  for (const line of ["9 1 1 4 1.0", "1 3 1 4 1.0", "1 1 2 4 1.0", "1 1 1 5 1.0", "1 1"]) {
    await withFiles({ ...CUB, [labels]: `${CUB[labels]}${line}` }, async (root) => {
      await assertRejects(
        () => loadCubAttributes(root, BIRDS),
        SyntaxError,
        `as its lines must be "IMAGE ATTRIBUTE PRESENT CERTAINTY TIME": got "${line}"`,
      );
    });
  }
  await withFiles({ ...CUB, [labels]: CUB[labels].replace("4 2 1 4 1.0\n", "") }, async (root) => {
    await assertRejects(
      () => loadCubAttributes(root, BIRDS),
      RangeError,
      `as a prior must be finite: NaN or infinity in 1 rows: 2 ("002.B/4.jpg")`,
    );
    await Deno.remove(`${root}/attributes.txt`);
    await assertRejects(
      () => loadCubAttributes(root, BIRDS),
      Deno.errors.NotFound,
      `"attributes.txt", the names of its`,
    );
    await assertRejects(
      () => loadCubAttributes(`${root}/x`, BIRDS),
      Deno.errors.NotFound,
      `Cannot load the attributes of CUB-200-2011: "${root}/x" has none of "meta_data_bin_train.csv", "cub_prior.npz"`,
    );
  });
});

const SHOES = dataset("utzappos", ["Boots/Ankle/X/22.1.jpg", "Shoes/Oxfords/Bostonian/100627.72.jpg"], [0, 1]);
const PLAIN = [
  "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle",
  "100627-72,Shoes,Oxfords,,,Lace up,Men,Leather,",
  '22-1,Boots,Ankle,1in - 1 3/4in,,"Pull-on;Zipper",Women,Leather,Round Toe',
  "5-5,Boots,Ankle,,,,Men,Rubber,",
].join("\n");

Deno.test("loadUtZapposAttributes() rebuilds the attributes from the metadata, without what the labels are", async () => {
  const binary = [
    "CID,Category.Shoes,SubCategory.Oxfords,Gender.Men,Material.Leather",
    "5-5,0,0,1,0",
    "100627-72,1,1,1,1",
    "22-1,0,0,0,1",
  ].join("\n");
  await withFiles({ "ut-zap50k-data/meta-data.csv": PLAIN }, async (root) => {
    const plain = await loadUtZapposAttributes(root, SHOES);
    assertEquals(plain.columns, [
      "Closure.Lace up",
      "Closure.Pull-on",
      "Closure.Zipper",
      "Gender.Men",
      "Gender.Women",
      "HeelHeight.1in - 1 3/4in",
      "Material.Leather",
      "Material.Rubber",
      "ToeStyle.Round Toe",
    ]);
    assertEquals([...plain.data], [0, 1, 1, 0, 1, 1, 1, 0, 1, /**/ 1, 0, 0, 1, 0, 0, 1, 0, 0]);
    assertEquals(plain.notes, [`attributes rebuilt from "${root}/ut-zap50k-data/meta-data.csv": 9 columns`]);

    await Deno.writeTextFile(`${root}/ut-zap50k-data/meta-data-bin.csv`, binary);
    const rebuilt = await loadUtZapposAttributes(root, SHOES);
    assertEquals(rebuilt.columns, ["Gender.Men", "Material.Leather"]);
    assertEquals([...rebuilt.data], [0, 1, 1, 1]);

    const list =
      "path,CID,attr_val_0\nShoes/Oxfords/Bostonian/100627.72.jpg,100627-72,7\nBoots/Ankle/X/22.1.jpg,22-1,8\n";
    await Deno.writeTextFile(`${root}/meta_data_bin_train.csv`, list);
    assertEquals([...(await loadUtZapposAttributes(root, SHOES)).data], [8, 7]);
  });
});

Deno.test("loadUtZapposAttributes() names what is damaged or absent", async () => {
  await withFiles({ "ut-zap50k-data/meta-data.csv": PLAIN.split("\n").slice(0, 2).join("\n") }, async (root) => {
    await assertRejects(
      () => loadUtZapposAttributes(root, SHOES),
      TypeError,
      `as each image must have a row: 1 of 2 have none: "Boots/Ankle/X/22.1.jpg"`,
    );
    await Deno.writeTextFile(`${root}/ut-zap50k-data/meta-data.csv`, "CID,SubCategory\n1-1,Flat\n");
    await assertRejects(() => loadUtZapposAttributes(root, SHOES), SyntaxError, "as it must have attributes: got");
    await assertRejects(
      () => loadUtZapposAttributes(`${root}/x`, SHOES),
      Deno.errors.NotFound,
      `Cannot load the attributes of UT-Zappos50K: "${root}/x" has none of `,
    );
  });
});

Deno.test("loadCubAttributes() joins attributes by their numbers, whatever their order", async () => {
  const swapped = { ...CUB, "attributes.txt": "7 has_bill_shape::dagger\n1 has_bill_shape::curved\n" };
  const labels = "CUB_200_2011/attributes/image_attribute_labels.txt";
  const lines = CUB[labels].replaceAll(/^(\d) 2/gm, "$1 7");
  await withFiles({ ...swapped, [labels]: lines }, async (root) => {
    const prior = await loadCubAttributes(root, BIRDS);
    assertEquals(prior.columns, ["has_bill_shape::dagger", "has_bill_shape::curved"]);
    assertEquals([...prior.data], [0, 1, 0, 1, 1, 0]);
  });
});

Deno.test("loadUtZapposAttributes() refuses blanks and takes only the published attributes", async () => {
  const lines = ["CID,Category.Shoes,Unnamed: 0,Gender.Men,Label", "100627-72,1,1,1,1", "22-1,0,2, ,0"];
  const files = { "ut-zap50k-data/meta-data-bin.csv": lines.join("\n") };
  await withFiles(files, async (root) => {
    await assertRejects(() => loadUtZapposAttributes(root, SHOES), RangeError, "NaN or infinity in 1 rows: 0");
    await Deno.writeTextFile(`${root}/ut-zap50k-data/meta-data-bin.csv`, lines.join("\n").replace("2, ,0", "2,0,0"));
    assertEquals((await loadUtZapposAttributes(root, SHOES)).columns, ["Gender.Men"]);
  });
});
