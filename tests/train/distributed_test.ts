import { assert, assertEquals } from "@std/assert";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { launchers, runAlone, runRanks, without } from "../distributed/_ranks.ts";
import type { TrainingOutcome, TrainingPlan } from "./_rank_training.ts";

const program = new URL("_rank_training.ts", import.meta.url);
const PLAN = {
  network: "small",
  lossScope: "global",
  prior: true,
  samples: 37,
  batchSize: 16,
  epochs: 4,
  lr: 0.05,
} as const;

/** Trains with so many ranks, or alone with 0. */
async function train(ranks: number, changes: Partial<TrainingPlan> = {}, launcher = launchers[0]!) {
  const out = await Deno.makeTempFile({ suffix: ".json" });
  const plan = JSON.stringify({ ...PLAN, out, ...changes });
  const outcome = ranks === 0 ? await runAlone(program, [plan]) : await runRanks(launcher, ranks, program, [plan]);
  assertEquals(outcome.code, 0, outcome.output);
  const result = JSON.parse(await Deno.readTextFile(out)) as TrainingOutcome;
  await Deno.remove(out);
  return result;
}

function assertSame(many: TrainingOutcome, one: TrainingOutcome, rtol: number): void {
  assertClose(many.losses, one.losses, { rtol });
  assertEquals(Object.keys(many.weights), Object.keys(one.weights));
  for (const [name, values] of Object.entries(one.weights)) {
    assertClose(many.weights[name]!, values, { rtol, atol: 1e-7 });
  }
}

// 37 samples in batches of 16: the last of every epoch has 5, so the ranks' parts differ in size.
for (const ranks of [2, 4]) {
  const changes = ranks === 4 ? { samples: 41 } : {};
  Deno.test({
    name: `pretrain() with the global loss gives ${ranks} ranks the weights of one process after 12 steps${without}`,
    ignore: launchers.length === 0,
    async fn() {
      const one = await train(0, changes);
      assertEquals(one.losses.length, 12);
      const many = await train(ranks, changes);
      assertSame(many, one, 1e-4);
      assert(many.sentBytes > 0);
      assert(many.communicationMs > 0);
    },
  });
}

// ReLU makes gradients jump where a rounding error moves a value across 0. In 18 layers that happens to some value within
// a few steps, so a small learning rate keeps what follows from it small: the weights then agree to what one such jump
// moves them. The sum of a layer's gradients may cancel, so biases are compared on the scale of all weights of a layer.
for (const ranks of [2, 4]) {
  Deno.test({
    name:
      `pretrain() with the global loss gives ${ranks} ranks the losses of ResNet-18 on one process for 10 steps${without}`,
    ignore: launchers.length === 0,
    async fn() {
      const changes = { network: 4, samples: 32, epochs: 5, lr: 1e-3 } as const;
      const [one, many] = [await train(0, changes), await train(ranks, changes)];
      assertEquals(one.losses.length, 10);
      assertClose(many.losses, one.losses, { rtol: 1e-4 });
      for (const [name, values] of Object.entries(one.weights)) {
        assertClose(many.weights[name]!, values, { rtol: 1e-4, atol: 1e-4 });
      }
    },
  });
}

Deno.test({
  name: `pretrain() in mixed precision gives 2 ranks the losses of one process${without}`,
  ignore: launchers.length === 0,
  async fn() {
    const changes = { precision: "mixed", epochs: 2 } as const;
    const [one, many] = [await train(0, changes), await train(2, changes)];
    assertClose(many.losses, one.losses, { rtol: TOLERANCE.mixedLoss });
  },
});

Deno.test({
  name: `pretrain() with the local loss compares the samples of each rank only${without}`,
  ignore: launchers.length === 0,
  async fn() {
    const changes = { lossScope: "local", epochs: 1, samples: 32 } as const;
    const [one, many] = [await train(0, changes), await train(2, changes)];
    assert(many.losses.every(Number.isFinite));
    assert(Math.abs(one.losses[0]! - many.losses[0]!) > 1e-4, `got ${one.losses} and ${many.losses}`);
  },
});

for (const launcher of launchers.slice(1)) {
  Deno.test(`pretrain() gives 2 ranks of ${launcher.library} the weights of one process`, async () => {
    assertSame(await train(2, { epochs: 1 }, launcher), await train(0, { epochs: 1 }), 1e-4);
  });
}
