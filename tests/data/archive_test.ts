import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkName, extractTar, extractZip } from "../../src/data/archive.ts";
import { writeZip } from "../../src/formats/mod.ts";
import { gzip, listFiles, makeTar, type TarFile, withFolder } from "./_helpers.ts";

const LONG = `set/${"folder_with_a_long_name/".repeat(6)}é.txt`;

for (const name of ["gnu.tar.gz", "pax.tar.gz", "ustar.tar"]) {
  Deno.test(`extractTar() extracts ${name} of Python's tarfile`, async () => {
    await withFolder(async (folder) => {
      const archive = new URL(`./fixtures/${name}`, import.meta.url).pathname;
      assertEquals(await extractTar(archive, `${folder}/out`), ["top.txt", "set"]);
      assertEquals(await listFiles(`${folder}/out`), [
        ["set/a.txt", "first"],
        ["set/empty", ""],
        [LONG, "x".repeat(1000)],
        ["top.txt", "top"],
      ]);
    });
  });
}

async function refuses(files: TarFile[], message: string) {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.tar`, makeTar([{ name: "set/good.txt", data: "good" }, ...files]));
    await assertRejects(() => extractTar(`${folder}/a.tar`, `${folder}/out`), SyntaxError, message);
    assertEquals(
      await listFiles(folder),
      [["a.tar", await Deno.readTextFile(`${folder}/a.tar`)]],
      "nothing is left behind",
    );
  });
}

Deno.test("extractTar() refuses names that leave the folder", async () => {
  await refuses([{ name: "../evil.txt" }], 'as its names must stay in the folder: got "../evil.txt"');
  await refuses([{ name: "set/../../evil.txt" }], 'as its names must stay in the folder: got "set/../../evil.txt"');
  await refuses([{ name: "set\\..\\..\\evil.txt" }], "as its names must stay in the folder");
  await refuses([{ name: "/tmp/evil.txt" }], 'as its names must be relative: got "/tmp/evil.txt"');
  await refuses([{ name: "C:\\evil.txt" }], 'as its names must be relative: got "C:\\evil.txt"');
});

Deno.test("extractTar() refuses links and devices", async () => {
  await refuses(
    [{ name: "set/out", type: "2", target: "/etc" }, { name: "set/out/passwd", data: "evil" }],
    'as links are not extracted: got "set/out" to "/etc"',
  );
  await refuses([{ name: "set/hard", type: "1", target: "set/good.txt" }], "as links are not extracted");
  await refuses([{ name: "set/null", type: "3" }], 'as only files and folders are extracted: got "set/null"');
});

Deno.test("extractTar() refuses names that are not believably long", async () => {
  await refuses(
    [{ name: "././@LongLink", type: "L", data: "x".repeat((1 << 20) + 1) }],
    "a name of 1048577 bytes is not believable",
  );
});

Deno.test("extractTar() leaves nothing behind when the archive is cut off or damaged", async () => {
  await withFolder(async (folder) => {
    const whole = makeTar([{ name: "set/a.bin", data: crypto.getRandomValues(new Uint8Array(5000)) }]);
    const zipped = await gzip(whole);
    const wrongSum = zipped.slice();
    wrongSum[zipped.length - 8] = wrongSum[zipped.length - 8]! ^ 1; // all bytes come out, but they do not have the checksum that gzip stored
    const path = `${folder}/a.tar.gz`;
    for (
      const [bytes, message] of [
        [whole.subarray(0, 2000), "the archive is cut off"],
        [whole.subarray(0, 300), "the archive is cut off"],
        [zipped.subarray(0, 2000), "the archive is cut off or damaged"],
        [wrongSum, "the archive is cut off or damaged"],
        [new TextEncoder().encode("<html>404</html>".repeat(99)), "the file is not a tar archive, or is damaged"],
        [new Uint8Array(), "the archive is cut off"],
      ] as const
    ) {
      await Deno.writeFile(path, bytes);
      await assertRejects(() => extractTar(path, `${folder}/out`), SyntaxError, `Cannot read "${path}": ${message}`);
      assertEquals(await listFiles(`${folder}/out`), []);
    }
  });
});

Deno.test("extractTar() replaces no folder that is there", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(
      `${folder}/a.tar`,
      makeTar([{ name: "set/a.txt", data: "new" }, { name: "b.txt", data: "b" }]),
    );
    await Deno.mkdir(`${folder}/out/set`, { recursive: true });
    await Deno.writeTextFile(`${folder}/out/set/a.txt`, "old");
    await assertRejects(
      () => extractTar(`${folder}/a.tar`, `${folder}/out`),
      Deno.errors.AlreadyExists,
      'as its folders would be replaced: "set" is there already',
    );
    assertEquals(await listFiles(`${folder}/out`), [["set/a.txt", "old"]]);
  });
});

Deno.test("extractZip() extracts files and leaves nothing behind when the archive is damaged", async () => {
  await withFolder(async (folder) => {
    const text = (name: string, data: string) => ({ name, bytes: new TextEncoder().encode(data) });
    const zip = await writeZip([text("set/a.txt", "first"), text("set/b/c.txt", "second"), text("top.txt", "top")]);
    const path = `${folder}/a.zip`;
    await Deno.writeFile(path, zip);
    const seen: number[] = [];
    assertEquals(await extractZip(path, `${folder}/out`, { onProgress: ({ files }) => seen.push(files) }), [
      "top.txt",
      "set",
    ]);
    const files = [["set/a.txt", "first"], ["set/b/c.txt", "second"], ["top.txt", "top"]] as [string, string][];
    assertEquals(await listFiles(`${folder}/out`), files);
    assertEquals(seen, [3]);
    await assertRejects(() => extractZip(path, `${folder}/out`), Deno.errors.AlreadyExists, '"set" is there already');

    const flipped = zip.slice();
    flipped[zip.length - 200] = flipped[zip.length - 200]! ^ 1;
    for (const bytes of [zip.subarray(0, 100), flipped, new Uint8Array(), new TextEncoder().encode("<html>")]) {
      await Deno.writeFile(path, bytes);
      await assertRejects(() => extractZip(path, `${folder}/new`), SyntaxError, `Cannot extract "${path}": `);
    }
    assertEquals(
      await listFiles(folder),
      [...files.map(([name, data]) => [`out/${name}`, data])].toSpliced(0, 0, [
        "a.zip",
        "<html>",
      ]),
    );
  });
});

Deno.test("checkName() keeps names inside the folder", () => {
  assertEquals(checkName("./set//a.txt", "a.zip"), "set/a.txt");
  assertEquals(checkName("set\\a.txt", "a.zip"), "set/a.txt");
  for (const name of ["", "/etc/passwd", "\\\\host\\x", "c:/x", "a\0b"]) {
    assertThrows(
      () => checkName(name, "a.zip"),
      SyntaxError,
      'Cannot extract "a.zip" as its names must be relative: got',
    );
  }
  for (const name of ["..", "a/../../b", "a/.."]) {
    assertThrows(() => checkName(name, "a.zip"), SyntaxError, "as its names must stay in the folder: got");
  }
});
