import { assert, assertEquals, assertRejects } from "@std/assert";
import { ndarray } from "../../../src/formats/mod.ts";
import { type Checkpoint, readCheckpoint } from "../../../src/checkpoints/mod.ts";
import { findCheckpoint, type MetricsLine, RunFolder } from "../../../src/jobs/mod.ts";
import { secondsOf } from "../../../src/jobs/pretrain/metrics_line.ts";
import { withFolder } from "../../data/_helpers.ts";

function checkpointAt(epoch: number, step = 0): Checkpoint {
  const weights = new Map([["w", ndarray([1000], "f32", new Float32Array(1000).fill(epoch))]]);
  return { weights, network: "tiny", position: { epoch, step }, optimizer: null, config: {} };
}

async function names(folder: string): Promise<string[]> {
  const found = [];
  for await (const { name } of Deno.readDir(folder)) if (name !== ".lock") found.push(name);
  return found.sort();
}

Deno.test("RunFolder keeps the last checkpoint, the one before it and numbered ones, and no parts", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(`${folder}/a/b`);
    assertEquals(await run.latest(), null);
    for (const epoch of [1, 2, 3]) await run.saveLast(checkpointAt(epoch));
    await run.keepAs(3);
    assertEquals(await names(run.path), ["checkpoint_0003.safetensors", "last.safetensors", "previous.safetensors"]);
    assertEquals((await run.latest())?.checkpoint.position, { epoch: 3, step: 0 });
    assertEquals((await findCheckpoint(`${run.path}/previous.safetensors`)).checkpoint.position, { epoch: 2, step: 0 });
    assertEquals((await findCheckpoint(`${run.path}/checkpoint_0003.safetensors`)).checkpoint.position?.epoch, 3);
  });
});

Deno.test("RunFolder goes on from the previous checkpoint when the last is damaged, and names both", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    for (const epoch of [1, 2]) await run.saveLast(checkpointAt(epoch));
    await Deno.truncate(run.file("last.safetensors"), 2000);
    for (
      const found of [
        await run.latest(),
        await findCheckpoint(run.file("last.safetensors")),
        await findCheckpoint(folder),
      ]
    ) {
      assertEquals(found?.checkpoint.position, { epoch: 1, step: 0 });
      assert(found?.notes[0]?.startsWith(`Cannot read "${folder}/last.safetensors": `), found?.notes[0]);
      assert(found?.notes[0]?.endsWith(`; going on from "${folder}/previous.safetensors"`), found?.notes[0]);
    }
    await Deno.truncate(run.file("previous.safetensors"), 1);
    await assertRejects(() => run.latest(), SyntaxError, "Cannot resume as every checkpoint is damaged");
  });
});

Deno.test("RunFolder keeps the good checkpoint as the one before, not the damaged last one", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    for (const epoch of [1, 2]) await run.saveLast(checkpointAt(epoch));
    await Deno.truncate(run.file("last.safetensors"), 2000);
    await run.latest();
    await run.saveLast(checkpointAt(3));
    assertEquals((await readCheckpoint(run.file("previous.safetensors"))).position, { epoch: 1, step: 0 });
    await run.saveLast(checkpointAt(4));
    assertEquals((await readCheckpoint(run.file("previous.safetensors"))).position, { epoch: 3, step: 0 });
  });
});

Deno.test("findCheckpoint() takes no other checkpoint for a numbered one that is damaged", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    for (const epoch of [1, 2]) await run.saveLast(checkpointAt(epoch));
    const path = await run.keepAs(1, run.file("previous.safetensors"));
    await Deno.truncate(path, 2000);
    await assertRejects(() => findCheckpoint(path), SyntaxError, `Cannot read "${path}"`);
  });
});

Deno.test("RunFolder finds the newest checkpoint after a crash between two renames", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    await run.saveLast(checkpointAt(1));
    await Deno.rename(run.file("last.safetensors"), run.file("next.safetensors"));
    await Deno.writeTextFile(run.file("next.safetensors.0a1b2c3d.part"), "half");
    run[Symbol.dispose]();
    using again = await RunFolder.open(folder);
    assertEquals((await again.latest())?.checkpoint.position, { epoch: 1, step: 0 });
    assertEquals(await names(folder), ["next.safetensors"]);
  });
});

Deno.test("RunFolder drops metrics that come after a position, and lines cut short", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    for (const [epoch, step] of [[1, 2], [1, 4], [2, 2], [2, 4]] as const) run.appendMetrics({ epoch, step, loss: -1 });
    await Deno.writeTextFile(run.file("metrics.jsonl"), '{"epoch":2,"st', { append: true });
    assertEquals((await run.rewindMetrics({ epoch: 1, step: 2 })).map(({ epoch, step }) => [epoch, step]), [[1, 2], [
      1,
      4,
    ], [2, 2]]);
    assertEquals((await Deno.readTextFile(run.file("metrics.jsonl"))).split("\n").length, 4);
    assertEquals((await run.rewindMetrics({ epoch: 0, step: 0 })).length, 0);
    await Deno.remove(run.file("metrics.jsonl"));
    await Deno.mkdir(run.file("metrics.jsonl"));
    await assertRejects(
      () => run.rewindMetrics({ epoch: 0, step: 0 }),
      Deno.errors.IsADirectory,
      'metrics.jsonl" as it must be a file: got a folder',
    );
  });
});

Deno.test("RunFolder counts the epochs of old metrics from 1, as the new ones of the same run", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    for (const [epoch, step] of [[0, 1], [0, 2], [1, 1], [1, 2]] as const) run.appendMetrics({ epoch, step });
    const places = async () => (await run.rewindMetrics({ epoch: 1, step: 1 })).map(({ epoch, step }) => [epoch, step]);
    assertEquals(await places(), [[1, 1], [1, 2], [2, 1]]);
    assertEquals(await places(), [[1, 1], [1, 2], [2, 1]]);
  });
});

Deno.test("RunFolder gives metrics of older files their present names, and keeps them so", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    const old = [{ epoch: 0, step: 1, loss: -2, align: -0.75, images_per_second: 3 }, {
      epoch: 0,
      step: 1,
      knn_auc: 0.5,
    }];
    await Deno.writeTextFile(run.file("metrics.jsonl"), old.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const now: MetricsLine[] = [
      { epoch: 1, step: 1, loss: -2, centroid_square: 0.75, images_per_second: 3 },
      { epoch: 1, step: 1, knn_mean_auroc: 0.5 },
    ];
    assertEquals(await run.rewindMetrics({ epoch: 1, step: 0 }), now);
    assertEquals(await run.rewindMetrics({ epoch: 1, step: 0 }), now);
  });
});

Deno.test("RunFolder leaves out what is no line of metrics, and reads any number of lines", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    const strange = ["null", "3", "[]", "{}", '{"epoch":null,"step":1}', '{"epoch":1}', '"text"', "nul"];
    const lines = Array.from({ length: 130_000 }, (_, step) => JSON.stringify({ epoch: 1, step, seconds: step / 2 }));
    await Deno.writeTextFile(run.file("metrics.jsonl"), [...strange, ...lines].join("\n"));
    const kept = await run.rewindMetrics({ epoch: 1, step: 0 });
    assertEquals(kept.length, 130_000);
    assertEquals(secondsOf(kept), 129_999 / 2);
    assertEquals(secondsOf([{ epoch: 1, step: 1, seconds: "soon" }]), 0);
  });
});

Deno.test("RunFolder reads its settings, and says when they are damaged", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    assertEquals(await run.config(), null);
    await run.writeText("config.json", '{"lr":1}');
    assertEquals(await run.config(), { lr: 1 });
    await run.writeText("config.json", "{");
    await assertRejects(() => run.config(), SyntaxError, `Cannot read "${folder}/config.json" as it must be JSON`);
    await run.writeText("config.json", "null");
    await assertRejects(() => run.config(), SyntaxError, 'config.json" as it must be a JSON object: got null');
  });
});

Deno.test("RunFolder says at once when it cannot be written to", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(
      () => RunFolder.open(`${folder}/file/run`),
      Error,
      `Cannot write to --save_dir "${folder}/file/run"`,
    );
  });
});

Deno.test("findCheckpoint() says what is absent", async () => {
  await withFolder(async (folder) => {
    const { NotFound } = Deno.errors;
    await assertRejects(
      () => findCheckpoint(`${folder}/x`),
      NotFound,
      `Cannot resume from "${folder}/x": there is no such file`,
    );
    await assertRejects(() => findCheckpoint(folder), NotFound, "the folder has no checkpoint");
  });
});

Deno.test("findCheckpoint() gives no advice to delete a file that a person named", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/photo.jpg`;
    await Deno.writeTextFile(path, "\xff\xd8\xff that is no checkpoint");
    const error = await assertRejects(() => findCheckpoint(path), SyntaxError, `Cannot read "${path}"`);
    assert(!error.message.includes("delete"), error.message);
  });
});

Deno.test("RunFolder of a rank that does not write reads, and leaves the folder as it is", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/run`;
    using first = await RunFolder.open(path);
    await first.saveLast(checkpointAt(1));
    first.appendMetrics({ epoch: 1, step: 0 });
    using run = await RunFolder.open(path, { writes: false }); // beside the one that writes
    assertEquals(await run.saveLast(checkpointAt(2)), first.file("last.safetensors"));
    assertEquals([await run.promote(), await run.keepAs(3)], [first.file("last.safetensors"), first.numbered(3)]);
    await run.writeText("config.json", "{}");
    run.appendMetrics({ epoch: 2, step: 0 });
    assertEquals(await run.rewindMetrics({ epoch: 0, step: 0 }), []);
    assertEquals(await run.has(run.numbered(3)), true);
    assertEquals((await run.latest())?.checkpoint.position, { epoch: 1, step: 0 });
    assertEquals(await names(path), ["last.safetensors", "metrics.jsonl"]);
    assertEquals((await first.rewindMetrics({ epoch: 9, step: 0 })).length, 1);
    assertEquals(await (await RunFolder.open(`${folder}/none`, { writes: false })).latest(), null);
  });
});
