import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device, keep, requireGrad, tensor } from "../../mod.ts";
import { CosineAnnealingLR, ReduceLROnPlateau, SGD } from "../../src/optim/mod.ts";

await Device.open();
const w = keep(requireGrad(tensor([1])));

Deno.test("CosineAnnealingLR starts at lr, ends at etaMin and halves the way in between", () => {
  const optimizer = new SGD([w], { lr: 0.3 });
  const schedule = new CosineAnnealingLR(optimizer, { tMax: 400, etaMin: 1e-3 });
  assertEquals(optimizer.lr, 0.3);
  schedule.epoch = 200;
  assertAlmostEquals(optimizer.lr, 0.1505, 1e-12);
  schedule.epoch = 400;
  assertAlmostEquals(optimizer.lr, 1e-3, 1e-12);
});

Deno.test("CosineAnnealingLR resumed equals CosineAnnealingLR stepped", () => {
  const [a, b] = [new SGD([w], { lr: 0.3 }), new SGD([w], { lr: 0.3 })];
  const stepped = new CosineAnnealingLR(a, { tMax: 10, warmUp: 2 });
  const resumed = new CosineAnnealingLR(b, { tMax: 10, warmUp: 2 });
  assertEquals(a.lr, 0.15);
  for (let i = 0; i < 7; i++) stepped.step();
  resumed.epoch = 7;
  assertEquals(a.lr, b.lr);
});

Deno.test("CosineAnnealingLR refuses tMax 0, and an etaMin that is no rate", () => {
  assertThrows(() => new CosineAnnealingLR(new SGD([w], { lr: 1 }), { tMax: 0 }), RangeError, "got 0 and 0");
  for (const etaMin of [NaN, -1, 1e39]) {
    const make = () => new CosineAnnealingLR(new SGD([w], { lr: 1 }), { tMax: 1, etaMin });
    assertThrows(make, RangeError, `as etaMin must be >= 0 and finite: got ${etaMin}`);
  }
});

Deno.test("ReduceLROnPlateau waits for patience and then multiplies by factor", () => {
  const optimizer = new SGD([w], { lr: 1 });
  const plateau = new ReduceLROnPlateau(optimizer, { patience: 2 });
  const lrs = [1, 0.5, 0.5, 0.5, 0.5, 0.4].map((metric) => {
    plateau.step(metric);
    return optimizer.lr;
  });
  assertEquals(lrs, [1, 1, 1, 1, 0.1, 0.1]);
  assertEquals(plateau.state, { best: 0.4, bad: 0 });
  assertThrows(() => new ReduceLROnPlateau(optimizer, { factor: 1 }), RangeError, "got 1");
});

Deno.test("ReduceLROnPlateau of a loss that is <= 0 waits like one of a positive loss", () => {
  const lrs = (metrics: readonly number[]) => {
    const optimizer = new SGD([w], { lr: 1 });
    const plateau = new ReduceLROnPlateau(optimizer, { patience: 2, threshold: 0.01 });
    return metrics.map((metric) => {
      plateau.step(metric);
      return optimizer.lr;
    });
  };
  const up = [-2, -1.99, -1.985, -1.9801, -1.97]; // ever a little worse, by less than the threshold
  assertEquals(lrs(up), [1, 1, 1, 0.1, 0.1]);
  assertEquals(lrs([-2, -2.01, -2.015, -2.019, -2.03]), [1, 1, 1, 0.1, 0.1]); // better, by less than the threshold
  assertEquals(lrs([0, 0, 0, 0, 0]), [1, 1, 1, 0.1, 0.1]);
  assertEquals(lrs([2, 1, 0.1, -0.1, -1]), [1, 1, 1, 1, 1]);
  assertEquals(lrs([-1, NaN, NaN, NaN, NaN]), [1, 1, 1, 0.1, 0.1]);
});

Deno.test("ReduceLROnPlateau refuses settings that are out of range", () => {
  const optimizer = new SGD([w], { lr: 1 });
  for (const options of [{ patience: -1 }, { patience: NaN }, { threshold: 1 }, { threshold: -1 }, { minLr: NaN }]) {
    assertThrows(() => new ReduceLROnPlateau(optimizer, options), RangeError, "patience and minLr must be >= 0");
  }
});
