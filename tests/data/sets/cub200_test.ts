import { assertEquals, assertRejects } from "@std/assert";
import { loadCub200 } from "../../../src/data/sets/cub200.ts";
import { gzip, makeTar, withFolder, writeFiles } from "../_helpers.ts";

// Two classes; as in the real files, ids do not follow the alphabet within a class.
const FILES = {
  "CUB_200_2011/images.txt": [
    "1 001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg",
    "2 001.Black_footed_Albatross/Black_Footed_Albatross_0009_34.jpg",
    "3 001.Black_footed_Albatross/Black_Footed_Albatross_0002_55.jpg",
    "4 002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg",
    "5 002.Laysan_Albatross/Laysan_Albatross_0001_545.jpg",
    "",
  ].join("\n"),
  "CUB_200_2011/train_test_split.txt": "1 0\n2 1\n3 1\n4 1\n5 0\n",
  "CUB_200_2011/classes.txt": "1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n",
  "CUB_200_2011/images/001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg": "",
  "CUB_200_2011/images/001.Black_footed_Albatross/Black_Footed_Albatross_0009_34.jpg": "",
  "CUB_200_2011/images/001.Black_footed_Albatross/Black_Footed_Albatross_0002_55.jpg": "",
  "CUB_200_2011/images/002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg": "",
  "CUB_200_2011/images/002.Laysan_Albatross/Laysan_Albatross_0001_545.jpg": "",
};

async function withTree(body: (root: string) => Promise<void>, files: Record<string, string> = FILES) {
  await withFolder(async (root) => {
    await writeFiles(root, files);
    await body(root);
  });
}

Deno.test("loadCub200() lists the official split in ImageFolder's order", async () => {
  await withTree(async (root) => {
    const train = await loadCub200(root);
    assertEquals([train.name, train.split, train.length], ["cub200", "train", 3]);
    assertEquals(train.paths, [
      "001.Black_footed_Albatross/Black_Footed_Albatross_0002_55.jpg",
      "001.Black_footed_Albatross/Black_Footed_Albatross_0009_34.jpg",
      "002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg",
    ]);
    assertEquals(train.labels, Int32Array.of(0, 0, 1));
    assertEquals(train.classes, ["001.Black_footed_Albatross", "002.Laysan_Albatross"]);
    assertEquals(train.files.paths[2], `${root}/CUB_200_2011/images/${train.paths?.[2]}`);
    assertEquals(train.files.evaluation, { resize: { shortSide: 256 }, centerCrop: 224 });
    assertEquals(train.notes, ["CUB-200-2011 train: 3 images are listed, the published set has 5994"]);
    const test = await loadCub200(root, { split: "test" });
    assertEquals(test.labels, Int32Array.of(0, 1));
    assertEquals((await loadCub200(`${root}/CUB_200_2011`)).length, 3, "the folder itself is taken, too");
  });
});

Deno.test("loadCub200() extracts the archive", async () => {
  await withFolder(async (root) => {
    const entries = Object.entries(FILES).map(([name, data]) => ({ name, data }));
    await Deno.writeFile(
      `${root}/CUB_200_2011.tgz`,
      await gzip(makeTar([{ name: "attributes.txt", data: "1 a" }, ...entries])),
    );
    assertEquals((await loadCub200(root)).length, 3);
  });
});

Deno.test("loadCub200() names what does not fit together", async () => {
  const damaged = (file: string, text: string) => ({ ...FILES, [`CUB_200_2011/${file}`]: text });
  const fails = (files: Record<string, string>, message: string) =>
    withTree(async (root) => {
      await assertRejects(() => loadCub200(root), SyntaxError, message.replace("ROOT", `${root}/CUB_200_2011`));
    }, files);
  await fails(
    damaged("train_test_split.txt", "1 0\n2 1\n"),
    `Cannot read "ROOT/train_test_split.txt" as each image must have 0 or 1: image 3 has no line`,
  );
  await fails(damaged("train_test_split.txt", "1 0\n2 2\n"), `image 2 has "2"`);
  await fails(
    damaged("images.txt", "1 001.A/a.jpg\nnonsense\n"),
    `Cannot read "ROOT/images.txt" as its lines must be "NUMBER TEXT": got "nonsense"`,
  );
  await fails(
    damaged("images.txt", "1 001.A/a.jpg\n1 001.A/b.jpg\n"),
    `Cannot read "ROOT/images.txt" as no number may come twice: got 1 twice`,
  );
  await fails(
    damaged("images.txt", `${FILES["CUB_200_2011/images.txt"]}6 003.Sooty_Albatross/a.jpg\n`).valueOf() as typeof FILES,
    "image 6 has no line",
  );
  const { ["CUB_200_2011/images/002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg"]: _, ...absent } = FILES;
  await fails(
    absent,
    `Cannot use "ROOT/images" as all images must be there: 1 of 3 are absent: "002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg"`,
  );
});

Deno.test("loadCub200() says what to put where", async () => {
  await withFolder(async (root) => {
    await assertRejects(
      () => loadCub200(root, { download: false }),
      Deno.errors.NotFound,
      `Cannot load CUB-200-2011 from "${root}": none of its forms is there; put one of "CUB_200_2011/", "CUB_200_2011.tgz" there`,
    );
  });
});

Deno.test("loadCub200() reads no image outside its folder", async () => {
  for (const path of ["001.A/../../../x.jpg", "/etc/passwd"]) {
    await withTree(async (root) => {
      await assertRejects(
        () => loadCub200(root),
        SyntaxError,
        `Cannot read "${root}/CUB_200_2011/images.txt" as its images must be inside its folder: got "${path}"`,
      );
    }, { ...FILES, "CUB_200_2011/images.txt": `1 ${path}\n` });
  }
});

Deno.test("loadCub200() finds images whose names the disk decomposes", async () => {
  const [listed, onDisk] = ["003.Grèbe/é.jpg", "003.Grèbe/é.jpg"].map((name, i) =>
    name.normalize(i === 0 ? "NFC" : "NFD")
  );
  await withTree(async (root) => {
    const train = await loadCub200(root);
    assertEquals(train.paths, [listed]);
    assertEquals(train.files.paths, [`${root}/CUB_200_2011/images/${onDisk}`]);
  }, {
    "CUB_200_2011/images.txt": `1 ${listed}\n`,
    "CUB_200_2011/train_test_split.txt": "1 1\n",
    [`CUB_200_2011/images/${onDisk}`]: "",
  });
});

Deno.test("loadCub200() takes classes from their lists by name, and says what is missing", async () => {
  const labels = "CUB_200_2011/image_class_labels.txt";
  const files = { ...FILES, "CUB_200_2011/classes.txt": "1 b\n2 a\n", [labels]: "1 1\n2 1\n3 1\n4 2\n5 2\n" };
  await withTree(async (root) => {
    const train = await loadCub200(root);
    assertEquals([train.classes, train.labels], [["a", "b"], Int32Array.of(1, 1, 0)]);
  }, files);
  for (
    const [text, message] of [["1 1\n2 1\n3 1\n4 2\n", "image 5 has no line"], [
      "1 1\n2 1\n3 1\n4 3\n5 2\n",
      'image 4 has "3"',
    ]]
  ) {
    await withTree((root) => assertRejects(() => loadCub200(root), SyntaxError, message).then(() => {}), {
      ...files,
      [labels]: text!,
    });
  }
});

Deno.test("loadCub200() takes images by their plain paths, however the list writes them", async () => {
  const images = FILES["CUB_200_2011/images.txt"].replace("3 001.", "3 ./001.").replace(
    "2 001.Black_footed_Albatross/",
    "2 001.Black_footed_Albatross\\",
  );
  const { "CUB_200_2011/classes.txt": _, ...files } = FILES;
  await withTree(async (root) => {
    const train = await loadCub200(root);
    assertEquals(train.classes, ["001.Black_footed_Albatross", "002.Laysan_Albatross"]);
    assertEquals(train.labels, Int32Array.of(0, 0, 1));
  }, { ...files, "CUB_200_2011/images.txt": images });
});

Deno.test("loadCub200() refuses images and classes that come twice, and a split without images", async () => {
  const [images, classes] = [FILES["CUB_200_2011/images.txt"], FILES["CUB_200_2011/classes.txt"]];
  const labels = "1 1\n2 1\n3 1\n4 2\n5 2\n";
  const refused: [Record<string, string>, string][] = [
    [{ "images.txt": `${images}6 ./${images.split("\n")[0]!.slice(2)}` }, "as no image may come twice: got"],
    [
      { "classes.txt": classes.replaceAll("002.Laysan", "001.Black_footed"), "image_class_labels.txt": labels },
      "as no class may come twice: got",
    ],
    [{ "train_test_split.txt": "1 0\n2 0\n3 0\n4 0\n5 0\n" }, "as the train split must hold images: got none of 5"],
  ];
  for (const [changed, message] of refused) {
    const files = Object.fromEntries(Object.entries(changed).map(([name, text]) => [`CUB_200_2011/${name}`, text]));
    await withTree(async (root) => {
      await assertRejects(() => loadCub200(root), SyntaxError, message);
    }, { ...FILES, ...files });
  }
});
