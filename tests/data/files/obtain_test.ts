import { assertEquals, assertRejects } from "@std/assert";
import { type DownloadSource, obtain, type ObtainProgress } from "../../../src/data/files/obtain.ts";
import { md5Of } from "../../../src/data/files/download.ts";
import { writeZip } from "../../../src/formats/internal.ts";
import { gzip, listFiles, makeTar, withFolder, writeFiles } from "../_helpers.ts";

const ARCHIVE = await gzip(makeTar([{ name: "set/list.txt", data: "a b c" }]));

async function sourceOf(url: string, folder: string): Promise<DownloadSource> {
  await Deno.writeFile(`${folder}/sum`, ARCHIVE);
  const md5 = await md5Of(`${folder}/sum`);
  await Deno.remove(`${folder}/sum`);
  return { folder: "set", markers: ["list.txt"], archive: "set.tar.gz", url: `${url}/set.tar.gz`, md5 };
}

async function serving(handler: () => Response, body: (url: string) => Promise<void>) {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  await body(`http://127.0.0.1:${server.addr.port}`);
}

Deno.test("obtain() downloads, extracts, and the next time finds the folder", async () => {
  let requests = 0;
  const answer = () => {
    requests++;
    return new Response(ARCHIVE);
  };
  await serving(answer, async (url) => {
    await withFolder(async (root) => {
      const sources = [await sourceOf(url, root)];
      const steps: ObtainProgress[] = [];
      const options = { onProgress: (progress: ObtainProgress) => steps.push(progress) };
      assertEquals((await obtain(root, { title: "the set", sources, options })).folder, `${root}/set`);
      assertEquals(steps, [
        { step: "download", name: "set.tar.gz", done: ARCHIVE.length, total: ARCHIVE.length },
        { step: "extract", name: "set.tar.gz", done: 1 },
      ]);
      assertEquals((await listFiles(root)).map(([name]) => name), ["set.tar.gz", "set/list.txt"]);
      await obtain(root, { title: "the set", sources, options });
      assertEquals([requests, steps.length], [1, 2]);
    });
  });
});

Deno.test("obtain() says what to put where when the download fails", async () => {
  await serving(() => new Response(null, { status: 403 }), async (url) => {
    await withFolder(async (root) => {
      const sources = [await sourceOf(url, root)];
      await assertRejects(
        () => obtain(root, { title: "the set", sources, options: {} }),
        Deno.errors.NotFound,
        `Cannot load the set from "${root}": none of its forms is there; put one of "set/", "set.tar.gz" there ` +
          `(Cannot download "${url}/set.tar.gz": the server answers 403`,
      );
    });
  });
  await serving(() => new Response("moved"), async (url) => {
    await withFolder(async (root) => {
      const sources = [await sourceOf(url, root)];
      await assertRejects(
        () => obtain(root, { title: "the set", sources, options: {} }),
        Deno.errors.NotFound,
        "as its MD5 must be",
      );
    });
  });
});

Deno.test("obtain() lets two callers want the same archive", async () => {
  await withFolder(async (root) => {
    await Deno.writeFile(`${root}/set.tar.gz`, ARCHIVE);
    const sources = [await sourceOf("http://127.0.0.1:1", root)];
    const both = [1, 2].map(() => obtain(root, { title: "the set", sources, options: {} }));
    assertEquals((await Promise.all(both)).map(({ folder }) => folder), [`${root}/set`, `${root}/set`]);
    assertEquals((await listFiles(root)).map(([name]) => name), ["set.tar.gz", "set/list.txt"]);
  });
});

Deno.test("obtain() extracts zip archives and takes what is extracted first", async () => {
  await withFolder(async (root) => {
    const bytes = new TextEncoder().encode("from the zip");
    await Deno.writeFile(`${root}/other.zip`, await writeZip([{ name: "other/list.txt", bytes }]));
    const sources = [
      { folder: "set", markers: ["list.txt"], archive: "set.zip" },
      { folder: "other", markers: [], archive: "other.zip" },
    ];
    const find = () => obtain(root, { title: "the set", sources, options: {} });
    assertEquals((await find()).source, sources[1]);
    await writeFiles(root, { "set/list.txt": "" });
    assertEquals((await find()).source, sources[0]);
  });
});
