import { assertEquals, assertThrows } from "@std/assert";
import { differences, learningSettings, resolveSettings } from "../../../src/jobs/pretrain/settings.ts";
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
