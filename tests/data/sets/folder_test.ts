import { assertEquals, assertRejects } from "@std/assert";
import { loadFolder } from "../../../src/data/sets/folder.ts";
import { withFolder, writeFiles } from "../_helpers.ts";

async function withTree(names: string[], body: (root: string) => Promise<void>) {
  await withFolder(async (root) => {
    await writeFiles(`${root}/.`, Object.fromEntries(names.map((name) => [name, ""])));
    await body(root);
  });
}

Deno.test("loadFolder() takes subfolders as classes, at any depth", async () => {
  await withTree(
    ["cat/b.jpg", "cat/a.PNG", "cat/more/c.jpeg", "dog/x.webp", "cat-like/y.tif", "__MACOSX/z.jpg"],
    async (root) => {
      const pets = await loadFolder(root, { name: "pets" });
      assertEquals([pets.name, pets.split, pets.resolution], ["pets", "train", 224]);
      assertEquals(pets.classes, ["cat", "cat-like", "dog"]);
      assertEquals(pets.paths, ["cat/a.PNG", "cat/b.jpg", "cat/more/c.jpeg", "cat-like/y.tif", "dog/x.webp"]);
      assertEquals(pets.labels, Int32Array.of(0, 0, 0, 1, 2));
      assertEquals(pets.files.paths[0], `${root}/cat/a.PNG`);
      assertEquals(pets.files.evaluation, { resize: { shortSide: 256 }, centerCrop: 224 });
      assertEquals(pets.notes, []);
    },
  );
});

Deno.test("loadFolder() takes folders whose names differ in the form of Unicode alone as one class", async () => {
  const [nfc, nfd] = ["caf\u00e9", "cafe\u0301"];
  await withTree([`${nfc}/b.jpg`, `${nfd}/a.jpg`, "cafeteria/c.jpg", "tea/d.jpg"], async (root) => {
    const { classes, labels, paths, notes } = await loadFolder(root);
    assertEquals(classes, ["cafeteria", nfd, "tea"]);
    assertEquals(labels, Int32Array.of(0, 1, 1, 2));
    assertEquals(paths, ["cafeteria/c.jpg", `${nfd}/a.jpg`, `${nfc}/b.jpg`, "tea/d.jpg"]);
    assertEquals(notes, [`folders of one name, written in two forms of Unicode, are one class: "${nfc}"`]);
  });
});

Deno.test("loadFolder() takes loose images as unlabelled", async () => {
  await withTree(["b.jpg", "a.jpg", "readme.txt", ".hidden.jpg", "c.bmp"], async (root) => {
    const images = await loadFolder(root, { resolution: 32, mean: [0.5, 0.5, 0.5] });
    assertEquals([images.paths, images.labels, images.classes], [["a.jpg", "b.jpg"], null, []]);
    assertEquals(images.mean, [0.5, 0.5, 0.5]);
    assertEquals(images.files.evaluation, { resize: { shortSide: 37 }, centerCrop: 32 });
    assertEquals(images.notes.sort(), [
      `1 files (.bmp) in "${root}" are not images`,
      `1 files (.txt) in "${root}" are not images`,
    ]);
  });
});

Deno.test("loadFolder() wants to be told what a mixed folder means", async () => {
  await withTree(["cat/a.jpg", "loose.jpg"], async (root) => {
    await assertRejects(
      () => loadFolder(root),
      TypeError,
      `Cannot load "${root}" as labels (--labels) must say whether subfolders are classes: 1 images are in subfolders, 1 are not`,
    );
    const without = await loadFolder(root, { labels: false });
    assertEquals([without.paths, without.labels], [["loose.jpg", "cat/a.jpg"], null]);
    const labelled = await loadFolder(root, { labels: true });
    assertEquals([labelled.paths, labelled.labels], [["cat/a.jpg"], Int32Array.of(0)]);
    assertEquals(labelled.notes, [`1 images directly in "${root}" have no class and are left out`]);
  });
});

Deno.test("loadFolder() follows links as ImageFolder does, but not in circles", async () => {
  await withTree(["set/cat/a.jpg", "set/dog/b.jpg", "away/c.jpg"], async (root) => {
    await Deno.symlink(`${root}/set`, `${root}/set/cat/loop`);
    await Deno.symlink(`${root}/set/cat`, `${root}/set/cat/self`);
    await Deno.symlink(`${root}/set/cat`, `${root}/set/tom`); // inside the root, under a second name
    await Deno.symlink(`${root}/away`, `${root}/set/fox`); // outside of it
    await Deno.symlink(`${root}/away/c.jpg`, `${root}/set/dog/d.jpg`);
    await Deno.symlink(`${root}/set`, `${root}/data`);
    for (const folder of [`${root}/set`, `${root}/data`]) {
      const pets = await loadFolder(folder);
      assertEquals(pets.paths, ["cat/a.jpg", "dog/b.jpg", "dog/d.jpg", "fox/c.jpg", "tom/a.jpg"]);
      assertEquals(pets.classes, ["cat", "dog", "fox", "tom"]);
      assertEquals(pets.notes, [
        'links back to a folder above them are left out: "cat/loop", "cat/self", "tom/loop", "tom/self"',
      ]);
    }
  });
});

Deno.test("loadFolder() throws on folders without images and on a wrong resolution", async () => {
  await withTree(["a/b.txt", "c.bmp", "d.bmp"], async (root) => {
    await assertRejects(
      () => loadFolder(root),
      Deno.errors.NotFound,
      `Cannot load "${root}": it holds no image (JPEG, PNG, WebP, TIFF, GIF, AVIF), but `,
    );
    await assertRejects(
      () => loadFolder(`${root}/x`),
      Deno.errors.NotFound,
      `Cannot load "${root}/x": the folder is absent`,
    );
    await Deno.mkdir(`${root}/empty`);
    await assertRejects(() => loadFolder(`${root}/empty`), Deno.errors.NotFound, "but nothing");
    await assertRejects(
      () => loadFolder(root, { resolution: 0 }),
      RangeError,
      "as resolution must be a positive integer: current value is 0",
    );
  });
});
