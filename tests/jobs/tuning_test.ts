import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";
import { cacheFolder, TuneFiles, wantsTuning } from "../../src/jobs/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { pretrain } from "../../src/train/mod.ts";
import { killedAt } from "../formats/_kill.ts";
import { smallDataset } from "../train/_small.ts";

const device = await Device.open();

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("cacheFolder() is the system's", () => {
  const of = (os: string, variables: Record<string, string>) => cacheFolder(os, (name) => variables[name]);
  assertEquals(of("linux", { HOME: "/home/a" }), join("/home/a", ".cache"));
  assertEquals(of("linux", { HOME: "/home/a", XDG_CACHE_HOME: "/cache" }), "/cache");
  assertEquals(of("darwin", { HOME: "/Users/a", XDG_CACHE_HOME: "/x" }), join("/Users/a", "Library", "Caches"));
  assertEquals(of("windows", { LOCALAPPDATA: "C:\\a" }), "C:\\a");
  for (const os of ["linux", "darwin", "windows"]) assertEquals(of(os, {}), null);
});

Deno.test("wantsTuning() follows TUNE, and tunes GPUs by default", () => {
  const wants = (family: "cpu" | "gpu", value?: string) => wantsTuning(family, () => value);
  assertEquals([wants("gpu"), wants("cpu"), wants("gpu", "")], [true, false, true]);
  assertEquals([wants("gpu", "0"), wants("cpu", "0")], [false, false]);
  assertEquals([wants("gpu", "1"), wants("cpu", "1")], [true, true]);
  assertThrows(() => wants("gpu", "yes"), RangeError, 'TUNE as it must be 0 or 1: got "yes"');
});

Deno.test("TuneFiles keeps a file a key and replaces it as a whole", async () => {
  await inFolder(async (root) => {
    const files = new TuneFiles(join(root, "new", "folder"));
    assertStringIncludes(files.environment, `Deno ${Deno.version.deno}`);
    assertStringIncludes(files.environment, "uniformity ");
    assertEquals(await files.load("a"), null);
    await files.save("a", "one");
    await files.save("b", "two");
    await files.save("a", "three");
    assertEquals([await files.load("a"), await files.load("b"), await files.load("c")], ["three", "two", null]);
    assertEquals([...Deno.readDirSync(join(root, "new", "folder"))].length, 2);
  });
});

Deno.test("TuneFiles has what was saved before or now when it is killed at any operation on files, and clears up", async () => {
  await inFolder(async (root) => {
    const save = (folder: string) => new TuneFiles(folder).save("a", "now");
    let kills = 0;
    while (await killedAt(kills + 1, () => save(`${root}/${kills}`))) {
      const folder = `${root}/${kills++}`;
      const files = new TuneFiles(folder);
      assert(["now", null].includes(await files.load("a")), `operation ${kills}`);
      const long = (Date.now() - 2 * 3_600_000) / 1000;
      for (let saves = 0; saves < 2; saves++) { // the first may be of a file that is new, and looks at nothing else
        for (const { name } of await namesIn(folder)) await Deno.utime(`${folder}/${name}`, long, long);
        await save(folder);
      }
      assertEquals(await files.load("a"), "now");
      assertEquals((await namesIn(folder)).length, 1, `operation ${kills}`);
    }
    assert(kills >= 6, `only ${kills} operations`);
  });
});

/** What is in a folder, which may be absent. */
async function namesIn(folder: string): Promise<Deno.DirEntry[]> {
  return await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
}

Deno.test("pretrain() tunes before the first full batch, once for an adapter, and leaves no other trace", async () => {
  await inFolder(async (folder) => {
    const store = new TuneFiles(folder);
    using source = new ResidentImages(device, smallDataset(20).pixels, naturalRecipe({ size: 16 }));
    const started: number[] = [];
    const found: number[][] = [];
    for (let run = 0; run < 2; run++) {
      const model = makeModel("tiny", { stem: "cifar" });
      policyOf(device).forgetAnswers();
      const tuning = { store, onStart: (shapes: number) => started.push(shapes) };
      const losses = [];
      for await (const { loss } of pretrain(model, { source }, { epochs: 2, batchSize: 8, lr: 0.05, tuning })) {
        losses.push(loss);
      }
      found.push(losses);
      model.dispose();
    }
    policyOf(device).forgetAnswers();
    assertEquals(started.length, 1);
    assert(started[0]! > 10, `${started[0]} shapes`);
    assertEquals(found[0], found[1]); // the run that tuned and the one that knew: bit for bit
  });
});
