import { assertEquals, assertRejects } from "@std/assert";
import type { ImageDataset } from "../../../src/data/mod.ts";
import { findCheckpoint } from "../../../src/jobs/mod.ts";
import { neededState } from "../../../src/jobs/pretrain/needed_state.ts";
import { type JobSettings, learningSettings, resolveSettings } from "../../../src/jobs/pretrain/settings.ts";
import { startingPoint } from "../../../src/jobs/pretrain/starting_point.ts";
import { SingleProcess } from "../../../src/distributed/mod.ts";
import { ndarray } from "../../../src/formats/mod.ts";
import { writeCheckpoint } from "../../../src/checkpoints/mod.ts";

const PROGRAM = { db: "custom", demo: false, augmentation: "natural", stem: "imagenet" } as const;
const GIVEN = { network: "tiny", resolution: 16, workers: 1, epochs: 2 };

function settings(changes: Partial<JobSettings> = {}): JobSettings {
  return resolveSettings({ ...PROGRAM, ...GIVEN, ...changes });
}

Deno.test("neededState() names what a run of other settings keeps and one before did not", () => {
  const needs = (before: Partial<JobSettings>, now: Partial<JobSettings>) =>
    neededState({ config: learningSettings(settings(before)), optimizer }, settings(now));
  const optimizer = { kind: "sgd", steps: 1, states: {} };
  for (const changes of [{ lr: 0.1 }, { n_views: 3 }, { method: "align_uniform" }, { batch_size: 8 }] as const) {
    assertEquals(needs({}, changes), []);
  }
  assertEquals(needs({}, { method: "byol" }), ["method"]);
  assertEquals(needs({}, { method: "moco" }), ["method", "queue"]);
  assertEquals(needs({ method: "moco" }, {}), [], "what is no longer needed is left");
  assertEquals(needs({ method: "moco" }, { method: "moco", queue: 64 }), ["queue"]);
  assertEquals([needs({}, { ema: 0.9 }), needs({ ema: 0.9 }, { ema: 0.5 })], [["ema"], []]);
  assertEquals(needs({}, { momentum: 0.9 }), ["optimizer", "momentum"]);
  assertEquals(needs({ optimizer: "adam" }, { optimizer: "adamw" }), []);
  assertEquals(needs({}, { stem: "cifar" }), [], "tiny has one stem");
  assertEquals(needs({ network: "resnet18" }, { network: "resnet18", stem: "cifar" }), ["stem"]);
  assertEquals(neededState({ config: { method: "of another version" }, optimizer }, settings()), []);
  assertEquals(neededState({ config: learningSettings(settings()), optimizer: null }, settings({ momentum: 0.9 })), []);
});

Deno.test("startingPoint() advises --resume where new settings can go on, and refuses what lacks their state", async () => {
  const path = await Deno.makeTempDir();
  const file = `${path}/last.safetensors`;
  const weights = new Map([["w", ndarray([1], "f32", new Float32Array(1))]]);
  const position = { epoch: 1, step: 0 };
  await writeCheckpoint(file, {
    ...{ weights, network: "tiny", position, optimizer: null },
    config: learningSettings(settings()),
  });
  const folder = { path, latest: () => findCheckpoint(file) };
  const start = (changes: Partial<JobSettings>, resume?: string) =>
    startingPoint(
      folder,
      { settings: settings(changes), resume, dataset: { length: 3 } as ImageDataset },
      new SingleProcess(),
    );
  const refused = `Cannot go on with the run in "${path}" as its settings were others: `;
  const goOn = `; give another --save_dir for a new run, or --resume "${file}" to go on with new settings`;
  await assertRejects(() => start({ epochs: 3 }), TypeError, `${refused}--epochs 2 (now 3)${goOn}`);
  assertEquals((await start({ epochs: 3 }, file))?.notes, [
    `"${file}" has no state of the optimizer, which begins anew`,
    "Settings changed: --epochs 2 (now 3)",
  ]);
  for (
    const [changes, text] of [
      [{ ema: 0.9 }, "--ema none (now 0.9)"],
      [{ network: "resnet18" }, "--network tiny (now resnet18)"],
    ] as const
  ) {
    const { message } = await assertRejects(() => start(changes), TypeError);
    assertEquals(message, `${refused}${text}; give another --save_dir for a new run`);
  }
  const lacks = `Cannot resume from "${file}" as it lacks what other settings need: --ema none (now 0.9)`;
  await assertRejects(() => start({ epochs: 3, ema: 0.9 }, file), TypeError, lacks);
  await Deno.remove(path, { recursive: true });
});
