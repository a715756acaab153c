import type { AdapterFamily, Device } from "../../src/device/mod.ts";

/** Runs `body` once with the shader variants of each family of adapters, whatever the adapter is. */
export async function eachFamily(device: Device, body: (family: AdapterFamily) => Promise<void>): Promise<void> {
  const info = device.info as { family: AdapterFamily };
  const before = info.family;
  try {
    for (info.family of ["cpu", "gpu"] as const) await body(info.family);
  } finally {
    info.family = before;
  }
}
