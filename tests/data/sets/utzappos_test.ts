import { assertEquals, assertRejects } from "@std/assert";
import { cidOf, loadUtZappos } from "../../../src/data/sets/utzappos.ts";
import { writeZip } from "../../../src/formats/internal.ts";
import { withFolder, writeFiles } from "../_helpers.ts";

const HEADER = "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle";
const FILES = {
  "ut-zap50k-data/meta-data.csv": [
    HEADER,
    "100627-72,Shoes,Oxfords,,,Lace up,Men,Leather,",
    "100627-255,Shoes,Oxfords,,,Lace up,Men,Leather,",
    '7157814-52507,Boots,Mid-Calf,1in - 1 3/4in,,"Pull-on;Zipper",Women,Suede,Round Toe',
    "112882-9,Sandals,Flat,Flat,,,Women,,",
    "",
  ].join("\r\n"),
  "ut-zap50k-images/Shoes/Oxfords/Bostonian/100627.72.jpg": "",
  "ut-zap50k-images/Shoes/Oxfords/Bostonian/100627.255.jpg": "",
  "ut-zap50k-images/Boots/Mid-Calf/Ariat/7157814.52507.jpg": "",
  "ut-zap50k-images/Sandals/Flat/A-Brand/112882.9.jpg": "",
  "meta_data_bin_train.csv": "path,CID,attr_val_0\n" +
    "Shoes/Oxfords/Bostonian/100627.255.jpg,100627-255,1\nBoots/Mid-Calf/Ariat/7157814.52507.jpg,7157814-52507,0\n",
};

async function withTree(body: (root: string) => Promise<void>, files: Record<string, string> = FILES) {
  await withFolder(async (root) => {
    await writeFiles(root, files);
    await body(root);
  });
}

function without(name: keyof typeof FILES): Record<string, string> {
  return Object.fromEntries(Object.entries(FILES).filter(([key]) => key !== name));
}

Deno.test("cidOf() is the file name with dashes", () => {
  assertEquals(cidOf("Shoes/Oxfords/Bostonian/100627.72.jpg"), "100627-72");
  assertEquals(cidOf("7157814.52507.jpg"), "7157814-52507");
});

Deno.test("loadUtZappos() splits by the list and labels by the metadata", async () => {
  await withTree(async (root) => {
    const train = await loadUtZappos(root);
    assertEquals(train.paths, ["Boots/Mid-Calf/Ariat/7157814.52507.jpg", "Shoes/Oxfords/Bostonian/100627.255.jpg"]);
    assertEquals(train.classes.length, 21);
    assertEquals([...train.labels].map((label) => train.classes[label]), ["Mid-Calf", "Oxfords"]);
    assertEquals(train.files.evaluation, { resize: { height: 32, width: 32 } });
    assertEquals(train.resolution, 32);
    assertEquals(train.notes, ["UT-Zappos50K train: 2 images were found, the published split has 35017"]);
    const test = await loadUtZappos(root, { split: "test" });
    assertEquals(test.paths, ["Sandals/Flat/A-Brand/112882.9.jpg", "Shoes/Oxfords/Bostonian/100627.72.jpg"]);
    assertEquals([...test.labels].map((label) => test.classes[label]), ["Flat", "Oxfords"]);
  });
});

Deno.test("loadUtZappos() splits by a fraction where that is asked for", async () => {
  await withTree(async (root) => {
    const options = { trainFraction: 0.75 };
    const train = await loadUtZappos(root, options);
    const test = await loadUtZappos(root, { ...options, split: "test" });
    assertEquals([train.length, test.length], [3, 1]);
    assertEquals(new Set([...train.paths ?? [], ...test.paths ?? []]).size, 4);
    assertEquals((await loadUtZappos(root, options)).paths, train.paths);
    await assertRejects(
      () => loadUtZappos(root, { trainFraction: 1 }),
      RangeError,
      "Cannot split UT-Zappos50K as trainFraction (--train_fraction) must be above 0 and below 1: current value is 1",
    );
    await assertRejects(
      () => loadUtZappos(root, { trainFraction: 0.5, trainList: "x.csv" }),
      TypeError,
      "as only one of trainList (--train_list) and trainFraction (--train_fraction) can be given: got both",
    );
  }, without("meta_data_bin_train.csv"));
});

Deno.test("loadUtZappos() extracts the two archives", async () => {
  await withFolder(async (root) => {
    for (const part of ["ut-zap50k-images", "ut-zap50k-data"]) {
      const members = Object.entries(FILES).filter(([name]) => name.startsWith(`${part}/`));
      const zip = await writeZip(members.map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
      await Deno.writeFile(`${root}/${part}.zip`, zip);
    }
    await Deno.writeTextFile(`${root}/list.csv`, FILES["meta_data_bin_train.csv"]);
    const { paths } = await loadUtZappos(root, { trainList: `${root}/list.csv` });
    assertEquals(paths?.length, 2);
    await Deno.writeTextFile(`${root}/ids.csv`, "CID,attr_val_0\n100627-255,1\n7157814-52507,0\n"); // no paths
    assertEquals((await loadUtZappos(root, { trainList: `${root}/ids.csv` })).paths, paths);
  });
});

Deno.test("loadUtZappos() names what does not fit together", async () => {
  const fails = (
    files: Record<string, string>,
    message: string,
    error: typeof SyntaxError | typeof Deno.errors.NotFound = SyntaxError,
  ) =>
    withTree(
      async (root) => void await assertRejects(() => loadUtZappos(root, { download: false }), error, message),
      files,
    );
  await fails(
    without("ut-zap50k-images/Shoes/Oxfords/Bostonian/100627.72.jpg"),
    'as images and meta-data.csv must fit together: 1 images of the metadata are absent: "100627-72"',
  );
  await fails(
    { ...FILES, "ut-zap50k-images/Shoes/Flats/X/5.5.jpg": "" },
    '1 images have no metadata: "Shoes/Flats/X/5.5.jpg"',
  );
  await fails(
    { ...FILES, "ut-zap50k-images/Shoes/Flats/X/112882.9.jpg": "" },
    "1 images share their name with another",
  );
  await fails(
    { ...FILES, "ut-zap50k-data/meta-data.csv": `${HEADER}\n1-1,Shoes,Sneakers,,,,,,\n` },
    'as SubCategory must be one of the 21 published ones: got "Sneakers"',
  );
  await fails(
    { ...FILES, "ut-zap50k-data/meta-data.csv": "CID,Category\n1-1,Shoes\n" },
    'as it must have a column "SubCategory": its columns are "CID", "Category"',
  );
  await fails(
    { ...FILES, "ut-zap50k-data/meta-data.csv": `${HEADER}\n1-1,Shoes\n` },
    `meta-data.csv": Invalid Record Length`,
  );
  const twice = FILES["ut-zap50k-data/meta-data.csv"] + "112882-9,Sandals,Flat,Flat,,,Women,,\n";
  await fails({ ...FILES, "ut-zap50k-data/meta-data.csv": twice }, 'as no row may come twice: got "112882-9" twice');
  await fails(
    { ...FILES, "meta_data_bin_train.csv": "path\nShoes/a/9.9.jpg\n" },
    'as it must list images of the data set: 1 of 1 are not: "9-9"',
  );
  await fails(
    without("meta_data_bin_train.csv"),
    "which lists the training images, is absent; put the original's meta_data_bin_train.csv there, or give trainFraction (--train_fraction): 0.7 gives",
    Deno.errors.NotFound,
  );
  await fails(
    without("ut-zap50k-data/meta-data.csv"),
    `none of its forms is there; put one of "ut-zap50k-data/", "ut-zap50k-data.zip" there`,
    Deno.errors.NotFound,
  );
});
