import type { READ_TEXTURES } from "../../src/device/internal.ts";
import type { Device } from "../../src/device/mod.ts";

/** What a test may need: a feature of the adapter, for `"shader-f16"` also a runtime that holds the values. */
export type Need = "shader-f16" | "f16 that is not read" | "timestamp-query" | typeof READ_TEXTURES;

/**
 * A test that needs an optional feature of the adapter, or none; where it is missing, or the runtime cannot hold its values,
 * the test is skipped, and its name says why.
 */
export function testWith(
  device: Device,
  need: Need | null,
  name: string,
  fn: () => void | Promise<void>,
): void {
  const feature = need === "f16 that is not read" ? "shader-f16" : need;
  const lacks = feature !== null && !device.features.has(feature)
    ? `the adapter lacks ${feature}`
    : need === "shader-f16" && !("Float16Array" in globalThis)
    ? "this runtime has no Float16Array"
    : null;
  Deno.test({ name: lacks ? `${name} (skipped as ${lacks})` : name, ignore: lacks !== null, fn });
}

/** A test of what the runtime does within a task; elsewhere than in Deno it is skipped, and its name says why. */
export function testInDeno(name: string, fn: () => Promise<void>): void {
  const lacks = !("permissions" in Deno);
  Deno.test({ name: lacks ? `${name} (skipped as only Deno maps buffers within a task)` : name, ignore: lacks, fn });
}
