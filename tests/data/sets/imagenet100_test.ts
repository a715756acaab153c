import { assertEquals, assertRejects } from "@std/assert";
import { loadImageNet100 } from "../../../src/data/sets/imagenet100.ts";
import { withFolder, writeFiles } from "../_helpers.ts";

const FILES = {
  "imagenet100.txt": "n02869837\nn01749939\n", // not sorted, as the real list
  "train/n01749939/n01749939_2.JPEG": "",
  "train/n01749939/n01749939_10.JPEG": "",
  "train/n02869837/n02869837_1.JPEG": "",
  "train/n01440764/n01440764_1.JPEG": "", // not in the list
  "val/n01749939/ILSVRC2012_val_00000001.JPEG": "",
  "val/n02869837/ILSVRC2012_val_00000002.JPEG": "",
};

async function withTree(body: (root: string) => Promise<void>, files: Record<string, string> = FILES) {
  await withFolder(async (root) => {
    await writeFiles(`${root}/.`, files);
    await body(root);
  });
}

Deno.test("loadImageNet100() takes the classes of the list and ranks them", async () => {
  await withTree(async (root) => {
    const train = await loadImageNet100(root);
    assertEquals(train.classes, ["n01749939", "n02869837"]);
    assertEquals(train.paths, [
      "n01749939/n01749939_10.JPEG",
      "n01749939/n01749939_2.JPEG",
      "n02869837/n02869837_1.JPEG",
    ]);
    assertEquals(train.labels, Int32Array.of(0, 0, 1));
    assertEquals(train.files.paths[0], `${root}/train/n01749939/n01749939_10.JPEG`);
    assertEquals(train.notes, ["ImageNet-100: the list has 2 classes, not 100"]);
    const val = await loadImageNet100(root, { split: "val" });
    assertEquals([val.split, val.length], ["val", 2]);
  });
});

Deno.test("loadImageNet100() takes a list from elsewhere", async () => {
  await withTree(async (root) => {
    await Deno.writeTextFile(`${root}/mine.txt`, "n01440764\r\n");
    const train = await loadImageNet100(root, { classList: `${root}/mine.txt` });
    assertEquals(train.paths, ["n01440764/n01440764_1.JPEG"]);
  });
});

Deno.test("loadImageNet100() says what is wrong with the tree or the list", async () => {
  await withTree(async (root) => {
    await assertRejects(
      () => loadImageNet100(`${root}/val`),
      Deno.errors.NotFound,
      `Cannot load ImageNet-100 from "${root}/val": it has no folder "train"; put ImageNet`,
    );
    await Deno.writeTextFile(`${root}/imagenet100.txt`, "n02869837\nn99999999\n");
    await assertRejects(
      () => loadImageNet100(root),
      SyntaxError,
      `Cannot use "${root}/train" as each class of the list must have a folder: 1 of 2 are absent: "n99999999"`,
    );
    await Deno.mkdir(`${root}/train/n99999999`);
    await assertRejects(
      () => loadImageNet100(root),
      SyntaxError,
      'as each class must have images: "n99999999" has none',
    );
    for (
      const [text, problem] of [
        ["<html>\n", "it must be text in UTF-8: got a web page"],
        ["goldfish\n", 'its lines must be WordNet ids such as n01558993: got "goldfish"'],
      ] as const
    ) {
      await Deno.writeTextFile(`${root}/imagenet100.txt`, text);
      await assertRejects(
        () => loadImageNet100(root),
        SyntaxError,
        `Cannot read "${root}/imagenet100.txt" as ${problem}`,
      );
    }
    await Deno.writeTextFile(`${root}/imagenet100.txt`, "\n");
    await assertRejects(() => loadImageNet100(root), SyntaxError, "got no line");
    await Deno.remove(`${root}/imagenet100.txt`);
    await assertRejects(
      () => loadImageNet100(root, { download: false }),
      Deno.errors.NotFound,
      `Cannot load ImageNet-100: the list of classes is absent; put `,
    );
    await assertRejects(
      () => loadImageNet100(root, { classList: `${root}/absent.txt` }),
      Deno.errors.NotFound,
      ` at "${root}/absent.txt"`,
    );
  });
});
