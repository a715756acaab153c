import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { describeOwner, FileLock, LockedError, readJson } from "../../src/formats/internal.ts";
import { OutputFolder } from "../../src/formats/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { killedAt } from "./_kill.ts";

Deno.test("OutputFolder is one run's at a time, and the next one's afterwards", async () => {
  await withFolder(async (root) => {
    const path = `${root}/run`;
    using folder = await OutputFolder.open(path);
    await assertRejects(
      () => OutputFolder.open(path),
      Error,
      `Cannot write to --save_dir "${path}": another run writes to it, process ${Deno.pid} on ${Deno.hostname()} since 2`,
    );
    await folder.write("a.json", "[1]");
    folder[Symbol.dispose]();
    folder[Symbol.dispose]();
    using again = await OutputFolder.open(path);
    assertEquals(await Deno.readTextFile(again.file("a.json")), "[1]");
  });
});

Deno.test("OutputFolder leaves nothing but what was written, and clears away what a killed run left", async () => {
  await withFolder(async (path) => {
    for (const inner of ["features", "other"]) await Deno.mkdir(`${path}/${inner}`);
    const parts = ["a.json.0a1b2c3d.part", "features/b.0a1b2c3d.part", "other/b.0a1b2c3d.part"];
    for (const name of [...parts, "data.zip.part", "b.part"]) await Deno.writeTextFile(`${path}/${name}`, "");
    using folder = await OutputFolder.open(path, ["features", "absent"]);
    assertEquals([...Deno.readDirSync(`${path}/features`)], []);
    assertEquals([...Deno.readDirSync(`${path}/other`)].length, 1);
    for (const inner of ["features", "other"]) await Deno.remove(`${path}/${inner}`, { recursive: true });
    await folder.write("a.json", "[1]");
    folder.append("lines.txt", "one\n");
    folder.append("lines.txt", "two\n");
    folder[Symbol.dispose]();
    assertEquals([...Deno.readDirSync(path)].map(({ name }) => name).sort(), [
      "a.json",
      "b.part",
      "data.zip.part",
      "lines.txt",
    ]);
    assertEquals(await Deno.readTextFile(`${path}/lines.txt`), "one\ntwo\n");
  });
});

Deno.test("OutputFolder says when it was removed, or replaced by another run's", async () => {
  await withFolder(async (root) => {
    const path = `${root}/run`;
    using folder = await OutputFolder.open(path);
    await Deno.remove(path, { recursive: true });
    const message = `Cannot write to --save_dir "${path}": it was removed or replaced while the run went on`;
    await assertRejects(() => folder.write("a", "1"), Error, message);
    assertThrows(() => folder.append("a", "1"), Error, message);
    using other = await OutputFolder.open(path);
    await assertRejects(() => folder.write("a", "1"), Error, message);
    folder[Symbol.dispose]();
    await other.write("a", "2");
    assertEquals(await Deno.readTextFile(`${path}/a`), "2");
  });
});

/** Does with a folder what a comparison or the quickstart does: results that are not repeated, then a report. */
async function compareIn(path: string): Promise<number> {
  using folder = await OutputFolder.open(path);
  let made = 0;
  for (const name of ["one", "two"]) {
    const file = `${name}.json`;
    if (await readJson(folder.file(file))) continue; // throws on a file that is cut
    await folder.write(file, JSON.stringify({ name, scores: Array(2000).fill(1) }));
    made++;
  }
  await folder.write("report.html", "done ".repeat(2000));
  return made;
}

Deno.test("OutputFolder has each file whole when a program is killed at any operation on files, and none is made twice", async () => {
  await withFolder(async (root) => {
    const listed = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).filter((n) => n !== ".lock");
    let kills = 0;
    for (; await killedAt(kills + 1, () => compareIn(`${root}/${kills}`)); kills++) {
      const path = `${root}/${kills}`;
      await Deno.mkdir(path, { recursive: true });
      const there = listed(path).filter((name) => name.endsWith(".json")).length;
      assertEquals(await compareIn(path), 2 - there, `operation ${kills + 1}`);
      assertEquals(listed(path).sort(), ["one.json", "report.html", "two.json"], `operation ${kills + 1}`);
      assertEquals((await Deno.readTextFile(`${path}/report.html`)).length, 10_000);
    }
    assert(kills >= 20, `only ${kills} operations`);
  });
});

Deno.test("OutputFolder says why it cannot be written to", async () => {
  await withFolder(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "");
    for (const path of [`${root}/file`, `${root}/file/run`]) {
      const message =
        `Cannot write to --save_dir "${path}": it must be a folder, or be made in one, and a file is in its`;
      await assertRejects(() => OutputFolder.open(path), Error, message);
    }
    await assertRejects(() => OutputFolder.open(""), TypeError, 'as it must name a folder: got ""');
    await Deno.mkdir(`${root}/linked`);
    await Deno.writeTextFile(`${root}/precious`, "kept");
    await Deno.symlink(`${root}/precious`, `${root}/linked/.lock`);
    const link = `Cannot lock "${root}/linked/.lock" as it must be a file: got a link, whose file would be lost`;
    await assertRejects(() => OutputFolder.open(`${root}/linked`), Error, link);
    assertEquals(await Deno.readTextFile(`${root}/precious`), "kept");
    await Deno.mkdir(`${root}/locked/.lock`, { recursive: true });
    const held = `Cannot lock "${root}/locked/.lock" as it must be a file: got a folder`;
    await assertRejects(() => OutputFolder.open(`${root}/locked`), Error, held);
    assertThrows(() => FileLock.take("/dev/null"), Error, "must be a file: got a device or a pipe");
    using folder = await OutputFolder.open(`${root}/run`);
    await Deno.mkdir(folder.file("a/b"), { recursive: true });
    await assertRejects(() => folder.write("a", "1"), Error, `Cannot write to --save_dir "${root}/run": `);
  });
});

Deno.test("FileLock is let go by the system when its process is killed, and names the owner until then", async () => {
  await withFolder(async (folder) => {
    const module = fromFileUrl(new URL("../../src/formats/file_lock.ts", import.meta.url));
    const program = `import { FileLock } from ${JSON.stringify(`file://${module}`)};
      FileLock.take(${JSON.stringify(`${folder}/.lock`)}); console.log("held"); setInterval(() => {}, 1000);`;
    await Deno.writeTextFile(`${folder}/hold.ts`, program);
    const args = ["run", "--no-lock", "--allow-read", "--allow-write", `${folder}/hold.ts`];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stdin: "null" }).spawn();
    const reader = child.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "held\n");
    const error = assertThrows(
      () => FileLock.take(`${folder}/.lock`),
      LockedError,
      `is held by process ${child.pid} since 2`,
    );
    assertEquals([error.owner?.pid, error.owner?.host], [child.pid, ""], "a program that may not ask names no host");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    using lock = FileLock.take(`${folder}/.lock`);
    assert(lock.isHeld());
  });
});

Deno.test("FileLock does not say more of the owner than the file tells", async () => {
  await withFolder(async (folder) => {
    using _ = FileLock.take(`${folder}/.lock`);
    for (const text of ["", "null", '{"pid":"x"}', '{"pid":1,"host":"a","since":1e300}']) {
      await Deno.writeTextFile(`${folder}/.lock`, text);
      assertThrows(() => FileLock.take(`${folder}/.lock`), LockedError, "as it is held by another process");
    }
  });
});

Deno.test("describeOwner() tells the age", () => {
  assertEquals(describeOwner({ pid: 1, host: "\x1b[2J", since: 0 }, 0).slice(0, 20), "process 1 on \\x1b[2J");
  const owner = { pid: 7, host: "a", since: Date.UTC(2026, 10, 28, 16, 40, 5) };
  for (
    const [seconds, age] of [[0, "0 seconds"], [119, "119 seconds"], [180, "3 minutes"], [9000, "3 hours"]] as const
  ) {
    assertEquals(
      describeOwner(owner, owner.since + 1000 * seconds),
      `process 7 on a since 2026-11-28 16:40:05 UTC (${age})`,
    );
  }
});

/** Files of the library and its programs that may call the system's own writers, and why. */
const WRITERS: Record<string, string> = {
  "src/formats/file.ts": "writeWhole() and what it is made of",
  "src/formats/output_folder.ts": "appends a line; tries the folder",
  "src/jobs/pretrain/run_folder.ts": "gives a checkpoint a second name",
  "src/data/sets/demo.ts": "fills a folder that is renamed when it is complete",
  "src/data/sets/demo_layouts.ts": "the same folder",
  "src/data/files/archive.ts": "fills a folder that is renamed when it is complete",
  "src/data/sets/folder.ts": "an example in the docs",
};

Deno.test("files are replaced by writeWhole() alone, in src/ and examples/", async () => {
  const root = fromFileUrl(new URL("../../", import.meta.url));
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await walk(path);
      else if (
        name.endsWith(".ts") &&
        /Deno\.(write(Text)?File|rename|copyFile|create)(Sync)?\(/.test(await Deno.readTextFile(root + path))
      ) {
        found.push(path);
      }
    }
  };
  for (const folder of ["src", "examples"]) await walk(folder);
  assertEquals(found.filter((path) => !(path in WRITERS)), []);
});
