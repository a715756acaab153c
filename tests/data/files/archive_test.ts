import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkName, extractTar, extractZip } from "../../../src/data/files/archive.ts";
import { FileLock, writeZip } from "../../../src/formats/internal.ts";
import { gzip, listFiles, makeTar, type TarFile, withFolder } from "../_helpers.ts";

const LONG = `set/${"folder_with_a_long_name/".repeat(6)}é.txt`;

for (const name of ["gnu.tar.gz", "pax.tar.gz", "ustar.tar"]) {
  Deno.test(`extractTar() extracts ${name} of Python's tarfile`, async () => {
    await withFolder(async (folder) => {
      const archive = new URL(`../fixtures/${name}`, import.meta.url).pathname;
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
    'as links must be to what is in the same folder of the archive: got "set/out" to "/etc"',
  );
  const links = (...all: [name: string, target: string][]) =>
    all.map(([name, target]) => ({ name, type: "2", target }));
  for (
    const [name, target] of [["set/a", "../../.."], ["set/a", "../other/x"], ["a", "set"], ["set/a", ""], [
      "set/a",
      "no",
    ]]
  ) {
    await refuses(links([name!, target!]), "as links must be to what is in the same folder of the archive");
  }
  await refuses(links(["set/a", "good.txt"], ["set/b", "a"]), 'got "set/b" to "a"');
  await refuses(links(["set/a", "."], ["set/b", "a/../../x"]), 'got "set/b" to "a/../../x"');
  await refuses([...links(["set/a", "."]), { name: "set/a/x", data: "1" }], '"set/a" is a link and a folder');
  await refuses([...links(["set/a", "good.txt"]), { name: "set/a", data: "1" }], '"set/a" is a file and a link');
  await refuses(
    [{ name: "set/hard", type: "1", target: "set/later.txt" }, { name: "set/later.txt" }],
    'as a hard link must be to a file before it: got "set/hard" to "set/later.txt"',
  );
  await refuses([{ name: "set/hard", type: "1", target: "set" }], "as a hard link must be to a file before it");
  await refuses([{ name: "set/hard", type: "1", target: "../../etc/passwd" }], "as its names must stay in the folder");
  await refuses([{ name: "set/null", type: "3" }], 'as only files and folders are extracted: got "set/null"');
});

Deno.test("extractTar() refuses names that are not believably long", async () => {
  await refuses(
    [{ name: "././@LongLink", type: "L", data: "x".repeat((1 << 20) + 1) }],
    "a name of 1048577 bytes is not believable",
  );
});

Deno.test("extractTar() refuses names that cannot be beside each other on a disk", async () => {
  const rule = "as its names must fit on a disk: ";
  await refuses([{ name: "a", data: "1" }, { name: "a/b", data: "2" }], `${rule}"a" is a file and a folder`);
  await refuses([{ name: "a/b", data: "1" }, { name: "a", data: "2" }], `${rule}"a" is a file and a folder`);
  await refuses([{ name: "a/", type: "5" }, { name: "a", data: "2" }], `${rule}"a" is a file and a folder`);
  await refuses([{ name: "set/.", data: "1" }], `${rule}"set" is a file and a folder`);
  await refuses([{ name: ".", data: "1" }], `${rule}"" is a file and a folder`);
  await refuses([{ name: "set/./good.txt" }], `${rule}"set/good.txt" comes twice`);
  const long = (name: string): TarFile[] => [{ name: "././@LongLink", type: "L", data: name }, { name: "short" }];
  await refuses(long("é".repeat(128)), `${rule}one takes 256 bytes (at most 255) in "ééé`);
  await refuses(long("a/".repeat(600)), `${rule}one takes 1199 bytes (at most 1024): "a/a/`);
});

Deno.test("extractTar() prints no command to the terminal", async () => {
  await refuses([{ name: "\x1b[2J", type: "3" }], 'only files and folders are extracted: got "\\x1b[2J"');
});

Deno.test("extractTar() refuses sizes that are no whole numbers", async () => {
  for (const size of ["nan", "-5", "1.5", "1e3", "9".repeat(400)]) {
    await refuses(
      [{ name: "x", type: "x", data: `${size.length + (size.length < 10 ? 9 : 10)} size=${size}\n` }, {
        name: "a",
        data: "1",
      }],
      "a size must be a whole number",
    );
  }
});

Deno.test("extractTar() and extractZip() stop at maxBytes", async () => {
  await withFolder(async (folder) => {
    const bytes = new Uint8Array(3000);
    await Deno.writeFile(`${folder}/a.tar`, makeTar([{ name: "a", data: bytes }, { name: "b", data: bytes }]));
    const zip = await writeZip([{ name: "a", bytes }, { name: "b", bytes }], { compressed: true });
    await Deno.writeFile(`${folder}/a.zip`, zip);
    for (const [extract, path] of [[extractTar, `${folder}/a.tar`], [extractZip, `${folder}/a.zip`]] as const) {
      assertEquals(await extract(path, `${path}.out`, { maxBytes: 7024 }), ["a", "b"]);
      await assertRejects(
        () => extract(path, `${path}.less`, { maxBytes: 7023 }),
        RangeError,
        `Cannot extract "${path}" as maxBytes is 7023: its files take more`,
      );
      assertEquals(await listFiles(`${path}.less`), []);
    }
  });
});

Deno.test("extractTar() bounds the number of folders too", async () => {
  await withFolder(async (folder) => {
    const folders = Array.from({ length: 20 }, (_, i) => ({ name: `${i}/`, type: "5" }));
    await Deno.writeFile(`${folder}/a.tar`, makeTar(folders));
    await extractTar(`${folder}/a.tar`, `${folder}/out`, { maxBytes: 20 * 512 });
    const extract = () => extractTar(`${folder}/a.tar`, `${folder}/less`, { maxBytes: 20 * 512 - 1 });
    await assertRejects(extract, RangeError, "its files take more");
  });
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
        [new Uint8Array(), "the file is empty, not a tar archive"],
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
      'as nothing may be replaced: "set" is there already',
    );
    assertEquals(await listFiles(`${folder}/out`), [["set/a.txt", "old"]]);
  });
});

Deno.test("extractTar() and extractZip() replace no file that is there with other bytes", async () => {
  await withFolder(async (folder) => {
    const text = new TextEncoder().encode("new");
    await Deno.writeFile(`${folder}/a.tar`, makeTar([{ name: "set/a", data: text }, { name: "b", data: text }]));
    await Deno.writeFile(
      `${folder}/a.zip`,
      await writeZip([{ name: "set/a", bytes: text }, { name: "b", bytes: text }]),
    );
    for (const [extract, path] of [[extractTar, `${folder}/a.tar`], [extractZip, `${folder}/a.zip`]] as const) {
      const out = `${path}.out`;
      await Deno.mkdir(out);
      for (const other of ["old", "older", ""]) {
        await Deno.writeTextFile(`${out}/b`, other);
        await assertRejects(() => extract(path, out), Deno.errors.AlreadyExists, 'replaced: "b" is there already');
        assertEquals(await listFiles(out), [["b", other]]);
      }
      await Deno.remove(`${out}/b`);
      await Deno.mkdir(`${out}/b`);
      await assertRejects(() => extract(path, out), Deno.errors.AlreadyExists, 'replaced: "b" is there already');
      await Deno.remove(`${out}/b`);
      await Deno.writeTextFile(`${out}/b`, "new"); // what an extraction that was interrupted between its moves leaves
      assertEquals(await extract(path, out), ["b", "set"]);
    }
  });
});

Deno.test("extractZip() refuses names that cannot be beside each other on a disk", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.zip`;
    const refusesZip = async (names: string[], message: string) => {
      await Deno.writeFile(path, await writeZip(names.map((name) => ({ name, bytes: new Uint8Array(1) }))));
      await assertRejects(
        () => extractZip(path, `${folder}/out`),
        SyntaxError,
        `Cannot extract "${path}" as ${message}`,
      );
      assertEquals(await listFiles(`${folder}/out`), []);
    };
    await refusesZip(["a", "a/b"], 'its names must fit on a disk: "a" is a file and a folder');
    await refusesZip(["a/b", "a"], 'its names must fit on a disk: "a" is a file and a folder');
    await refusesZip(["a/b", "a//b"], 'its names must fit on a disk: "a/b" comes twice');
    await refusesZip(["a".repeat(256)], "its names must fit on a disk: one takes 256 bytes (at most 255)");
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

Deno.test("extractTar() removes what a killed extraction left, and nothing of one under way", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.tar`, makeTar([{ name: "set/a.txt", data: "a" }]));
    for (const name of [".extracting-killed/set", ".extracting-busy/set", "extracting-mine"]) {
      await Deno.mkdir(`${folder}/out/${name}`, { recursive: true });
    }
    using _ = FileLock.take(`${folder}/out/.extracting-busy.lock`);
    assertEquals(await extractTar(`${folder}/a.tar`, `${folder}/out`), ["set"]);
    assertEquals([...Deno.readDirSync(`${folder}/out`)].map(({ name }) => name).sort(), [
      ".extracting-busy",
      ".extracting-busy.lock",
      "extracting-mine",
      "set",
    ]);
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
