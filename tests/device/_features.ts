import type { Device } from "../../src/device/mod.ts";

/** A test that needs an optional feature of the adapter; where that is missing it is skipped, and its name says why. */
export function testWith(
  device: Device,
  feature: "shader-f16" | "timestamp-query",
  name: string,
  fn: () => void | Promise<void>,
): void {
  const has = device.features.has(feature);
  Deno.test({ name: has ? name : `${name} (skipped as the adapter lacks ${feature})`, ignore: !has, fn });
}
