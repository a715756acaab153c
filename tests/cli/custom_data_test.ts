import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import { loadCustom } from "../../src/cli/mod.ts";

async function withTree(paths: readonly string[], test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  for (const path of paths) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), "");
  }
  await test(root);
  await Deno.remove(root, { recursive: true });
}

Deno.test("loadCustom() takes train and test of a folder, or all of it for training", async () => {
  await withTree(["train/cat/a.jpg", "train/dog/b.jpg", "val/cat/a.jpg"], async (root) => {
    const [train, test] = [await loadCustom(root, "train"), await loadCustom(root, "test")];
    assertEquals([train?.paths, train?.classes, train?.split], [["cat/a.jpg", "dog/b.jpg"], ["cat", "dog"], "train"]);
    assertEquals([test?.paths, test?.split], [["cat/a.jpg"], "val"]);
  });
  await withTree(["train/cat/a.jpg"], async (root) => {
    assertEquals((await loadCustom(root, "train"))?.length, 1);
    assertEquals(await loadCustom(root, "test"), null);
  });
  await withTree(["cat/a.jpg", "test/b.jpg"], async (root) => {
    assertEquals((await loadCustom(root, "train"))?.classes, ["cat", "test"]);
    assertEquals(await loadCustom(root, "test"), null);
  });
});

Deno.test("loadCustom() follows the advice on a mixed folder: --labels subfolders, --labels none", async () => {
  await withTree(["cat/a.jpg", "loose.jpg"], async (root) => {
    await assertRejects(() => loadCustom(root, "train"), TypeError, "labels (--labels) must say whether subfolders");
    assertEquals((await loadCustom(root, "train", { labels: "none" }))?.paths, ["loose.jpg", "cat/a.jpg"]);
    assertEquals((await loadCustom(root, "train", { labels: "subfolders" }))?.paths, ["cat/a.jpg"]);
  });
});
