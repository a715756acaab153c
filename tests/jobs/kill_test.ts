import { assert, assertEquals } from "@std/assert";
import { Device } from "../../mod.ts";
import { ndarray } from "../../src/formats/mod.ts";
import type { Checkpoint } from "../../src/checkpoints/mod.ts";
import { findCheckpoint, pretrainJob, RunFolder } from "../../src/jobs/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { killedAt } from "../formats/_kill.ts";
import { SETTINGS, smallDataset } from "../train/_small.ts";

const device = await Device.open();

function checkpointAt(epoch: number): Checkpoint {
  const weights = new Map([["w", ndarray([64], "f32", new Float32Array(64).fill(epoch))]]);
  return { weights, network: "tiny", position: { epoch, step: 0 }, optimizer: null, config: {} };
}

/** Files of a folder with their bytes, but for `.lock`, which a killed run leaves. */
function filesOf(folder: string): Record<string, Uint8Array> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock").sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readFileSync(`${folder}/${name}`)]));
}

/** Does with a folder what a run of two epochs does, from where it stands. */
async function runIn(path: string): Promise<void> {
  using folder = await RunFolder.open(path);
  let found = await folder.latest();
  if (found?.path === folder.file("next.safetensors")) found = { ...found, path: await folder.promote() };
  await folder.writeText("config.json", "{}");
  await folder.rewindMetrics(found?.checkpoint.position ?? { epoch: 0, step: 0 });
  if (!found) await folder.saveLast(checkpointAt(0));
  for (let epoch = found?.checkpoint.position?.epoch ?? 0; epoch < 2; epoch++) {
    folder.appendMetrics({ epoch: epoch + 1, step: 1 });
    await folder.saveLast(checkpointAt(epoch + 1));
  }
  await folder.keepAs(2);
  await folder.writeText("report.html", "done");
}

Deno.test("RunFolder loses nothing when it is killed at any operation on files", async () => {
  await withFolder(async (folder) => {
    await runIn(`${folder}/whole`);
    const whole = filesOf(`${folder}/whole`);
    assertEquals(Object.keys(whole), [
      "checkpoint_0002.safetensors",
      "config.json",
      "last.safetensors",
      "metrics.jsonl",
      "previous.safetensors",
      "report.html",
    ]);
    let kills = 0;
    let saved = -1;
    let hasLast = false;
    while (await killedAt(kills + 1, () => runIn(`${folder}/${kills}`))) {
      const path = `${folder}/${kills++}`;
      const epoch = (await findCheckpoint(path).catch(() => null))?.checkpoint.position?.epoch ?? -1;
      assert(epoch >= saved, `operation ${kills} loses epoch ${saved}: got ${epoch}`);
      const last = await Deno.stat(`${path}/last.safetensors`).then(() => true, () => false);
      assert(last || !hasLast, `operation ${kills} loses last.safetensors`);
      [saved, hasLast] = [epoch, last];
      await runIn(path);
      assertEquals(filesOf(path), whole, `operation ${kills}`);
    }
    assert(kills > 70, `only ${kills} operations`);
  });
});

/** Runs a job of two epochs to its end. */
async function runJob(saveDir: string): Promise<void> {
  const input = { device, dataset: smallDataset(20), heldOut: smallDataset(9), settings: SETTINGS, saveDir };
  for await (const _ of pretrainJob(input));
}

/** Files that do not tell the time. */
function lasting(folder: string): Record<string, Uint8Array> {
  const timed = ["config.json", "metrics.jsonl", "report.html"];
  return Object.fromEntries(
    Object.entries(filesOf(folder)).map(([name, bytes]) =>
      timed.includes(name) ? [name, new Uint8Array()] : [name, bytes]
    ),
  );
}

// Each kill takes a run of its own, so a few of them, spread evenly, stand for all here: EVERY_KILL=1 tries all.
const STRIDE = Deno.env.get("EVERY_KILL") ? 1 : 32;

Deno.test("pretrainJob() ends with the same files when it is killed at any operation on files and started again", async () => {
  await withFolder(async (folder) => {
    await runJob(`${folder}/whole`);
    const whole = lasting(`${folder}/whole`);
    let at = 1;
    for (; await killedAt(at, () => runJob(`${folder}/${at}`)); at += STRIDE) {
      await runJob(`${folder}/${at}`);
      assertEquals(lasting(`${folder}/${at}`), whole, `operation ${at}`);
    }
    assert(at > 98, `only ${at} operations`);
  });
});
