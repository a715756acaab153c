import type { Device } from "../../src/device/mod.ts";

/** A test that needs an optional feature of the adapter, or none; where it is missing the test is skipped, and its name says why. */
export function testWith(
  device: Device,
  feature: "shader-f16" | "timestamp-query" | null,
  name: string,
  fn: () => void | Promise<void>,
): void {
  const has = feature === null || device.features.has(feature);
  Deno.test({ name: has ? name : `${name} (skipped as the adapter lacks ${feature})`, ignore: !has, fn });
}
