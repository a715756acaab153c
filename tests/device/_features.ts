import type { Device } from "../../src/device/mod.ts";

/**
 * A test that needs an optional feature of the adapter, or none; where it is missing, or the runtime cannot hold its values,
 * the test is skipped, and its name says why.
 */
export function testWith(
  device: Device,
  feature: "shader-f16" | "timestamp-query" | null,
  name: string,
  fn: () => void | Promise<void>,
): void {
  const lacks = feature !== null && !device.features.has(feature)
    ? `the adapter lacks ${feature}`
    : feature === "shader-f16" && !("Float16Array" in globalThis)
    ? "this runtime has no Float16Array"
    : null;
  Deno.test({ name: lacks ? `${name} (skipped as ${lacks})` : name, ignore: lacks !== null, fn });
}
