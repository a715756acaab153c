import { assertEquals, assertRejects } from "@std/assert";
import { ArchiveWriter } from "../../../src/data/files/_archive_writer.ts";
import { extractTar } from "../../../src/data/files/archive.ts";
import { listFiles, makeTar, withFolder } from "../_helpers.ts";

Deno.test("extractTar() reads names that are not UTF-8 as Latin-1, so that two stay two", async () => {
  await withFolder(async (folder) => {
    const tar = makeTar([{ name: "caf1", data: "1" }, { name: "caf2", data: "2" }]);
    for (const [at, byte] of [[0, 0xe8], [1024, 0xe9]] as const) { // è and é in the place of 1 and 2
      const digit = tar[at + 3]!;
      tar[at + 3] = byte;
      const sum = parseInt(new TextDecoder().decode(tar.subarray(at + 148, at + 154)), 8) + byte - digit;
      tar.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), at + 148);
    }
    await Deno.writeFile(`${folder}/a.tar`, tar);
    await extractTar(`${folder}/a.tar`, `${folder}/out`);
    assertEquals(await listFiles(`${folder}/out`), [["cafè", "1"], ["café", "2"]]);
  });
});

Deno.test("ArchiveWriter refuses two folders, files or links that are one on a disk", async () => {
  // On a disk that does not tell "A" from "a", or composed from decomposed letters, what was written as A is there as a.
  const writers: ((writer: ArchiveWriter) => Promise<void>)[] = [
    (writer) => writer.addFolder("a"),
    (writer) => writer.addFile("a", [new Uint8Array(1)]),
    (writer) => writer.addFile("a/x", [new Uint8Array(1)]),
    (writer) => writer.addLink("a/x", "y"),
  ];
  for (const write of writers) {
    await withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/a`);
      const writer = new ArchiveWriter({ archive: "a.tar", folder, maxBytes: 1e6 });
      await assertRejects(
        () => write(writer),
        SyntaxError,
        'Cannot extract "a.tar" as its names must fit on a disk: "a" is the same as another on this disk',
      );
    });
  }
});

Deno.test("extractTar() keeps names that a disk tells apart", async () => {
  await withFolder(async (folder) => {
    const names = ["A/x", "a/y", "caf\u00e9/x", "cafe\u0301/y"];
    await Deno.writeFile(`${folder}/a.tar`, makeTar(names.map((name) => ({ name, data: name }))));
    await extractTar(`${folder}/a.tar`, `${folder}/out`);
    assertEquals(await listFiles(`${folder}/out`), names.toSorted().map((name): [string, string] => [name, name]));
  });
});

Deno.test("extractTar() replaces no link, though it leads nowhere", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.tar`, makeTar([{ name: "b", data: "new" }]));
    await Deno.mkdir(`${folder}/out`);
    await Deno.symlink(`${folder}/nowhere`, `${folder}/out/b`);
    await assertRejects(
      () => extractTar(`${folder}/a.tar`, `${folder}/out`),
      Deno.errors.AlreadyExists,
      'as nothing may be replaced: "b" is there already',
    );
    assertEquals(await Deno.readLink(`${folder}/out/b`), `${folder}/nowhere`);
  });
});

Deno.test("extractTar() makes symbolic links that stay in their folder", async () => {
  await withFolder(async (folder) => {
    const links = [{ name: "set/sub/b.txt", type: "2", target: "../a.txt" }, {
      name: "set/all",
      type: "2",
      target: "sub",
    }];
    await Deno.writeFile(`${folder}/a.tar`, makeTar([...links, { name: "set/a.txt", data: "first" }]));
    assertEquals(await extractTar(`${folder}/a.tar`, `${folder}/out`), ["set"]);
    assertEquals(await Deno.readTextFile(`${folder}/out/set/all/b.txt`), "first");
    assertEquals(await Deno.readLink(`${folder}/out/set/sub/b.txt`), "../a.txt");
  });
});

Deno.test("extractTar() says how to unpack what is packed in another way", async () => {
  await withFolder(async (folder) => {
    for (const [start, name, command] of [["BZh91AY", "bzip2", "bunzip2"], ["PK\x03\x04", "zip", "unzip"]] as const) {
      await Deno.writeTextFile(`${folder}/a.tar.gz`, start);
      await assertRejects(
        () => extractTar(`${folder}/a.tar.gz`, `${folder}/out`),
        SyntaxError,
        `Cannot read "${folder}/a.tar.gz" as a tar archive must be packed with gzip or xz here: got ${name}; unpack it with ` +
          `${command} "${folder}/a.tar.gz"`,
      );
    }
  });
});

/** A tar archive of one file behind a pax header. */
function paxTar(...records: string[]): Uint8Array<ArrayBuffer> {
  const [pax, body] = [{ name: "pax", type: "x", data: records.join("") }, { name: "short", data: "1" }];
  return makeTar([pax, body]);
}

Deno.test("extractTar() tells a plain archive from a packed one whatever name stands first in it", async () => {
  await withFolder(async (folder) => {
    for (const [i, name] of ["BZh.jpg", "Rar!.png", "7z\xbc", "(\xb5/x", "PK\x03\x04", "]"].entries()) {
      await Deno.writeFile(`${folder}/${i}.tar`, makeTar([{ name, data: "1" }]));
      await extractTar(`${folder}/${i}.tar`, `${folder}/${i}`);
      assertEquals((await listFiles(`${folder}/${i}`)).map(([, text]) => text), ["1"], name);
    }
  });
});

Deno.test("extractTar() reads records of a pax header by their length", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.tar`, paxTar("26 comment=\n10 path=wrong\n", "12 path=a\nb\n"));
    await extractTar(`${folder}/a.tar`, `${folder}/out`);
    assertEquals(await listFiles(`${folder}/out`), [["a\nb", "1"]]);
  });
});

Deno.test("extractTar() refuses pax records that are damaged, and files with holes", async () => {
  const refused = {
    'a pax record must be "LENGTH KEY=VALUE": got "99 path=x\\x0a"': "99 path=x\n",
    'a pax record must be "LENGTH KEY=VALUE": got "path=x\\x0a"': "path=x\n",
    "sparse files are not read (pack them without --sparse): got GNU.sparse.major": "22 GNU.sparse.major=1\n",
  };
  for (const [message, record] of Object.entries(refused)) {
    await withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/a.tar`, paxTar(record));
      await assertRejects(() => extractTar(`${folder}/a.tar`, `${folder}/out`), SyntaxError, message);
    });
  }
});
