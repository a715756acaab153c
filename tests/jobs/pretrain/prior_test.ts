import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { uploadPrior } from "../../../src/jobs/mod.ts";
import { priorOf } from "../../../src/jobs/pretrain/prior.ts";

const device = await Device.open();

Deno.test("uploadPrior() refuses what is not finite, and what is not rows", () => {
  for (const wrong of [NaN, Infinity]) {
    assertThrows(
      () => uploadPrior(device, { data: Float32Array.of(0, 1, 2, wrong), dim: 2 }),
      RangeError,
      `Cannot upload a prior as every feature must be finite: got ${wrong} in row 1`,
    );
  }
  for (const dim of [0, 3, NaN]) {
    assertThrows(
      () => uploadPrior(device, { data: new Float32Array(4), dim }),
      TypeError,
      `Cannot upload a prior as it must be [n, dim]: got 4 values and dim ${dim}`,
    );
  }
});

Deno.test("priorOf() refuses rows whose similarity f32 does not hold, where the kernel is linear", () => {
  const prior = { data: Float32Array.of(1, 2, 2e19, 0), dim: 2 };
  const settings = { method: "decoupled_uniformity", clusters: null, seed: 0 } as const;
  assertThrows(
    () => priorOf({ prior }, { ...settings, kernel: "linear" }),
    RangeError,
    "Cannot use --kernel linear as the squares of a row must add up to less than 3.4e38: got",
  );
  assertEquals(priorOf({ prior }, { ...settings, kernel: "cosine" }), prior);
});
