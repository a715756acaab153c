import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  blobSource,
  FileSource,
  ndarray,
  readFrom,
  readNpz,
  readSafetensors,
  readTorch,
  safetensorsChunks,
  writeWhole,
} from "../../src/formats/mod.ts";
import { readAll } from "../../src/formats/internal.ts";
import { readExactly } from "../../src/formats/source.ts";
import { extractTar, extractZip, type ImageDataset, loadPrior } from "../../src/data/mod.ts";
import { loadGloria, loadVit, openOnnx } from "../../src/encoders/mod.ts";
import { fixture, latin1 } from "./_helpers.ts";

const FIXTURES = new URL("./fixtures/", import.meta.url);

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("FileSource reads several parts at once", async () => {
  const bytes = await fixture("tensors.pt");
  using source = new FileSource(new URL("tensors.pt", FIXTURES));
  assertEquals(source.size, bytes.length);
  const parts = await Promise.all([source.read(100, 50), source.read(0, 10), source.read(60, 0)]);
  assertEquals(parts, [bytes.slice(100, 150), bytes.slice(0, 10), new Uint8Array(0)]);
});

Deno.test("FileSource gives fewer bytes when the file has become shorter", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a`, new Uint8Array(10));
    using source = new FileSource(`${folder}/a`);
    await Deno.truncate(`${folder}/a`, 6);
    assertEquals(await source.read(4, 4), new Uint8Array(2));
    await assertRejects(() => readAll(source), SyntaxError, "it ends early: 10 bytes wanted at 0 of 10");
  });
});

Deno.test("FileSource refuses a folder, and names it", async () => {
  const path = await Deno.makeTempDir();
  assertThrows(
    () => new FileSource(path),
    Deno.errors.IsADirectory,
    `Cannot read "${path}" as it must be a file: got a folder`,
  );
  await Deno.remove(path);
});

Deno.test("writeWhole() removes what a killed process left of the same file, once nobody can be writing to it", async () => {
  await inFolder(async (folder) => {
    const [old, young, other] = ["a.json.0a1b2c3d.part", "a.json.ffffffff.part", "b.json.0a1b2c3d.part"];
    for (const name of [old, young, other]) await Deno.writeTextFile(`${folder}/${name}`, "");
    const long = (Date.now() - 2 * 3_600_000) / 1000;
    for (const name of [old, other]) await Deno.utime(`${folder}/${name}`, long, long);
    await writeWhole(`${folder}/a.json`, "[0]"); // it is new: no look at a folder of many files
    await Deno.stat(`${folder}/${old}`);
    await Deno.utime(`${folder}/a.json`, long, long);
    await writeWhole(new URL(`file://${folder}/a.json`), "[1]");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["a.json", young, other].sort());
    assertEquals(await Deno.readTextFile(`${folder}/a.json`), "[1]");
    await Deno.utime(`${folder}/${young}`, long, long);
    await writeWhole(`${folder}/a.json`, "[2]"); // of late it was written: none either
    await Deno.stat(`${folder}/${young}`);
    await Deno.utime(`${folder}/a.json`, long, long);
    await writeWhole(`${folder}/a.json`, "[3]");
    await assertRejects(() => Deno.stat(`${folder}/${young}`), Deno.errors.NotFound);
  });
});

Deno.test("writeWhole() and readFrom() take addresses of files as Deno does, and say what is none", async () => {
  await inFolder(async (folder) => {
    await writeWhole(new URL(`file://${folder}/50%.json`), "[1]");
    assertEquals(await Deno.readTextFile(`${folder}/50%.json`), "[1]");
    for (const url of [new URL(`file://${folder}/%ff`), new URL("https://localhost/a.json")]) {
      const message = `Cannot open a file as its address must be file: and UTF-8: got "${url}"`;
      await assertRejects(() => writeWhole(url, ""), TypeError, message);
      await assertRejects(() => readFrom(url, readNpz), TypeError, message);
    }
  });
});

Deno.test("readFrom() reads a file with any reader", async () => {
  const prior = await readFrom(new URL("prior.npz", FIXTURES), readNpz);
  assertEquals([...prior.keys()], ["prior", "labels"]);
  const { metadata } = await readFrom(
    new URL("tensors.safetensors", FIXTURES),
    async (source) => readSafetensors(await readAll(source)),
  );
  assertEquals(metadata, { format: "pt" });
});

Deno.test("readFrom() names the file that cannot be read, and leaves other errors alone", async () => {
  const path = new URL("prior.npz", FIXTURES);
  await assertRejects(
    () => readFrom(path, (source) => readNpz(source, { names: ["x"] })),
    RangeError,
    "Cannot read npz as it has no array",
  );
  await assertRejects(
    () => readFrom(path, (source) => readTorch(source)),
    SyntaxError,
    `Cannot read "${path}": Cannot read a PyTorch file as`,
  );
});

Deno.test("writeWhole() writes a file from chunks, over an old one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    const array = ndarray([3], "f32", new Float32Array([1, 2, 3]));
    await writeWhole(path, [latin1("old")]);
    await writeWhole(path, safetensorsChunks({ array }));
    const { tensors } = await readFrom(path, async (source) => readSafetensors(await readAll(source)));
    assertEquals(tensors.get("array"), array);
    await writeWhole(new URL(`file://${folder}/b%20c`), [latin1("x"), latin1("y")]);
    assertEquals(await Deno.readTextFile(`${folder}/b c`), "xy");
  });
});

Deno.test("writeWhole() leaves the old file, and nothing else, when the writing fails", async () => {
  await inFolder(async (folder) => {
    await writeWhole(`${folder}/a`, [latin1("old")]);
    function* failing() {
      yield latin1("new");
      throw new Error("out of data");
    }
    await assertRejects(() => writeWhole(`${folder}/a`, failing()), Error, "out of data");
    assertEquals(await Deno.readTextFile(`${folder}/a`), "old");
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["a"]);
  });
});

Deno.test("writeWhole() leaves nothing beside a folder that has the name", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/report.html`);
  await assertRejects(() => writeWhole(`${folder}/report.html`, "text"), Deno.errors.IsADirectory);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["report.html"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("blobSource() reads a part of a Blob", async () => {
  const source = blobSource(new Blob([latin1("0123456789")]));
  assertEquals(source.size, 10);
  assertEquals(await source.read(3, 4), latin1("3456"));
});

Deno.test("readExactly() throws when a source is too short, or shorter than it says", async () => {
  const source = {
    size: 10,
    read: (_: number, length: number) => Promise.resolve(new Uint8Array(Math.min(length, 4))),
  };
  assertEquals(await readExactly(source, "x", 6, 4), new Uint8Array(4));
  await assertRejects(
    () => readExactly(source, "x", 0, 5),
    SyntaxError,
    "Cannot read x as it ends early: 5 bytes wanted at 0 of 10",
  );
  for (const [offset, length] of [[8, 4], [-1, 2], [0, NaN], [2 ** 53, 1]] as const) {
    await assertRejects(() => readExactly(source, "x", offset, length), SyntaxError, "it ends early");
  }
});

Deno.test("What reads a file of a given name says in a sentence that it is not there", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/file`, new Uint8Array(1));
    const prior = (path: string) => loadPrior(path, {} as ImageDataset);
    const readers: [ending: string, read: (path: string) => Promise<unknown>][] = [
      ...[["", (path: string) => readFrom(path, readNpz)], [".npz", prior], [".csv", prior]] as const,
      ...[["", loadVit], ["", loadGloria], ["", openOnnx]] as const,
      ...[["", (path: string) => extractTar(path, folder)], ["", (path: string) => extractZip(path, folder)]] as const,
    ].map(([ending, read]) => [ending, (path) => read(path)]);
    for (const [ending, read] of readers) {
      for (const path of [`${folder}/nope${ending}`, `${folder}/file/nope${ending}`]) {
        await assertRejects(() => read(path), Deno.errors.NotFound, `Cannot read "${path}" as there is no such file`);
      }
    }
  });
});
