import { assert, assertEquals } from "@std/assert";
import { download, md5Of } from "../../../src/data/files/download.ts";
import { listFiles, withFolder } from "../_helpers.ts";
import { broken, MD5, ranged, serving, TEXT } from "../_serving.ts";

Deno.test("download() writes the file under its name and reports progress", async () => {
  await serving(() => new Response(TEXT), async (url) => {
    await withFolder(async (folder) => {
      const seen: (number | undefined)[] = [];
      await download(url, `${folder}/new/file.bin`, {
        md5: MD5,
        onProgress: ({ name, bytes, total }) => {
          assertEquals([name, total], ["file.bin", TEXT.length]);
          seen.push(bytes);
        },
      });
      assertEquals(await listFiles(folder), [["new/file.bin", TEXT]]);
      assertEquals(seen.at(-1), TEXT.length);
      assertEquals(await md5Of(`${folder}/new/file.bin`), MD5);
    });
  });
});

Deno.test("download() goes on where the connection broke", async () => {
  await serving(
    (request, attempt) => attempt === 0 ? broken(0, 50_000) : ranged(request),
    async (url, ranges) => {
      await withFolder(async (folder) => {
        await download(url, `${folder}/file.bin`, { md5: MD5, retryDelay: 1 });
        assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
        assertEquals(ranges.length, 2);
        const start = Number(/\d+/.exec(ranges[1] ?? "")?.[0]);
        assert(start > 0 && start <= 50_000, `asked for the rest from ${start} on`);
      });
    },
  );
});

Deno.test("download() starts again where the server knows no ranges", async () => {
  await serving((_, attempt) => attempt === 0 ? broken(0, 50_000) : new Response(TEXT), async (url) => {
    await withFolder(async (folder) => {
      await download(url, `${folder}/file.bin`, { md5: MD5, retryDelay: 1 });
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() takes up the part of an earlier run", async () => {
  await serving(ranged, async (url, ranges) => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file.bin.part`, TEXT.slice(0, 70_000));
      await download(url, `${folder}/file.bin`, { md5: MD5 });
      assertEquals(ranges, ["bytes=70000-"]);
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);

      await Deno.rename(`${folder}/file.bin`, `${folder}/file.bin.part`); // complete, but stopped before it got its name
      await download(url, `${folder}/file.bin`, { md5: MD5 });
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() fetches all again when the part was of another file", async () => {
  await serving(ranged, async (url, ranges) => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file.bin.part`, "something else");
      await download(url, `${folder}/file.bin`, { md5: MD5 });
      assertEquals(ranges, ["bytes=14-", null]);
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() leaves a part alone that it cannot check", async () => {
  await serving(ranged, async (url, ranges) => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file.bin.part`, "something else");
      await download(url, `${folder}/file.bin`);
      assertEquals(ranges, [null]);
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() fetches nothing when the file is there", async () => {
  await serving(() => new Response(TEXT), async (url, ranges) => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file.bin`, "mine");
      await download(url, `${folder}/file.bin`, { md5: MD5 });
      assertEquals(await listFiles(folder), [["file.bin", "mine"]]);
      assertEquals(ranges, []);
    });
  });
});

Deno.test("download() fetches once when two ask at the same time", async () => {
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response(TEXT);
  };
  await serving(slow, async (url, ranges) => {
    await withFolder(async (folder) => {
      const path = `${folder}/file.bin`;
      await Promise.all([download(url, path, { md5: MD5 }), download(url, path, { md5: MD5 })]);
      assertEquals(ranges.length, 1);
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});
