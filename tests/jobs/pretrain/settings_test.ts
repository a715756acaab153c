import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { SingleProcess } from "../../../src/distributed/single_process.ts";
import type { JobInput } from "../../../src/jobs/mod.ts";
import { dataFacts } from "../../../src/jobs/pretrain/data_facts.ts";
import {
  differences,
  knownMicroBatch,
  learningSettings,
  resolveSettings,
} from "../../../src/jobs/pretrain/settings.ts";
import { startingPoint } from "../../../src/jobs/pretrain/starting_point.ts";
import type { Checkpoint } from "../../../src/checkpoints/mod.ts";
import { SETTINGS } from "../../train/_small.ts";

Deno.test("learningSettings() has the number of ranks where each has its own loss", () => {
  assertEquals(learningSettings(SETTINGS, 2).ranks, 2);
  assertEquals("ranks" in learningSettings({ ...SETTINGS, loss_scope: "global" }, 2), false);
  assertEquals("workers" in learningSettings(SETTINGS), false);
});

Deno.test("differences() names another number of ranks, and nothing that a checkpoint does not name", () => {
  assertEquals(differences(learningSettings(SETTINGS, 2), SETTINGS, 4), ["mpirun -n 2 (now 4)"]);
  assertEquals(differences(learningSettings(SETTINGS, 2), SETTINGS, 2), []);
  const { ranks: _, ...earlier } = learningSettings(SETTINGS, 2);
  assertEquals(differences(earlier, SETTINGS, 4), []);
  const global = { ...SETTINGS, loss_scope: "global" } as const;
  assertEquals(differences(learningSettings(global, 2), global, 4), []);
  assertEquals(differences(learningSettings(SETTINGS, 2), global, 2), ["--loss_scope local (now global)"]);
});

Deno.test("differences() names another number of images, which changes the steps of an epoch", () => {
  assertEquals(differences(learningSettings(SETTINGS, 1, { images: 20 }), SETTINGS, 1, { images: 24 }), [
    "images 20 (now 24)",
  ]);
  assertEquals(differences(learningSettings(SETTINGS, 1, { images: 20 }), SETTINGS, 1, { images: 20 }), []);
  assertEquals(differences(learningSettings(SETTINGS, 1), SETTINGS, 1, { images: 24 }), []); // of before it was kept
});

Deno.test("dataFacts() tells other names, another order and another prior, and nothing of where they are", () => {
  const prior = (...values: number[]) => ({ dim: 2, data: Float32Array.from(values) });
  const data = { length: 2, paths: ["a/1.jpg", "b/2.jpg"], prior: prior(1, 2, 3, 4) };
  const before = learningSettings(SETTINGS, 1, dataFacts(data));
  const changed = (change: object) => differences(before, SETTINGS, 1, dataFacts({ ...data, ...change }));
  assertEquals(changed({}), []);
  assertMatch(changed({ paths: ["b/2.jpg", "a/1.jpg"] }).join(), /^hash of the images' names \w{16} \(now \w{16}\)$/);
  assertMatch(changed({ prior: prior(1, 2, 4, 3) }).join(), /^hash of the prior \w{16} \(now \w{16}\)$/);
  assertEquals(changed({ prior: { ...prior(1, 2, 3, 4), dim: 1 } }).length, 1);
});

Deno.test("knownMicroBatch() takes what a run can have had", () => {
  assertEquals([1, 2, 500].map((micro_batch) => knownMicroBatch({ micro_batch })), [1, 2, 500]);
  for (const micro_batch of [-3, 0, 2.5, "4", null, NaN, [4]]) {
    assertEquals(knownMicroBatch({ micro_batch }), undefined);
  }
  assertEquals([knownMicroBatch({ micro_batch: 1 }, 2), knownMicroBatch()], [undefined, undefined]);
});

Deno.test("startingPoint() refuses a checkpoint of other images, and says that one has no state of the optimizer", async () => {
  const weights = new Map();
  const optimizer = { kind: "sgd", steps: 3, states: {} };
  const at = (checkpoint: Partial<Checkpoint>, images = 20) => {
    const found = {
      network: "tiny",
      config: learningSettings(SETTINGS, 1, { images: 20 }),
      position: { epoch: 1, step: 0 },
      weights,
    };
    const all = { optimizer, ...found, ...checkpoint };
    const latest = () => Promise.resolve({ path: "a/last.safetensors", checkpoint: all, notes: [] });
    const input = { settings: SETTINGS, dataset: { length: images } as JobInput["dataset"] };
    return startingPoint({ path: "a", latest }, input, new SingleProcess());
  };
  assertEquals((await at({}))?.notes, []);
  assertEquals((await at({ optimizer: null }))?.notes, [
    '"a/last.safetensors" has no state of the optimizer, which begins anew',
  ]);
  await assertRejects(
    () => at({}, 24),
    TypeError,
    "as its settings were others: images 20 (now 24); give another --save",
  );
});

Deno.test("resolveSettings() refuses what has no default and is not given", () => {
  assertThrows(
    () => resolveSettings({ ...SETTINGS, epochs: undefined as unknown as number }),
    TypeError,
    "Cannot resolve settings as --epochs must be given: got none",
  );
  assertEquals(resolveSettings({ ...SETTINGS, optimizer: "lars", momentum: undefined }).momentum, 0.9);
});

Deno.test("resolveSettings() bounds a default warm-up by a tenth of a short run, and takes one that is given", () => {
  const program = { db: "cifar10", demo: false, augmentation: "natural", stem: "cifar" } as const;
  const warmUp = (epochs: number, warmup_epochs?: number) =>
    resolveSettings({ ...program, network: "vit_tiny", resolution: 32, workers: 2, epochs, warmup_epochs })
      .warmup_epochs;
  assertEquals([warmUp(400), warmUp(11), warmUp(10), warmUp(3), warmUp(3, 2)], [10, 10, 1, 0, 2]);
});
