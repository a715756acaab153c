import { BatchNorm2d } from "./batch_norm2d.ts";
import type { Module } from "./module.ts";

/**
 * Runs `body` while batch normalisation in training leaves its running statistics and counts as they are: for batches that
 * are computed a second time.
 *
 * @example Usage
 * ```ts
 * import { Device, normal, key, noGrad } from "@decoupled/uniformity";
 * import { BatchNorm2d, withoutTracking } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const norm = new BatchNorm2d({ numFeatures: 2 });
 * withoutTracking(norm, () => noGrad(() => norm.forward(normal([8, 2], { key: key(0) }))));
 * assertEquals(norm.numBatchesTracked.value, 0);
 * assertEquals(await norm.runningMean.data(), new Float32Array([0, 0]));
 * ```
 */
export function withoutTracking<T>(model: Module, body: () => T): T {
  const norms = [...model.namedModules()].flatMap(([, module]) =>
    module instanceof BatchNorm2d && module.tracks ? [module] : []
  );
  for (const norm of norms) norm.track(false);
  try {
    return body();
  } finally {
    for (const norm of norms) norm.track(true);
  }
}
