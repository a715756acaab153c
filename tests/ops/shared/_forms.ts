import type { AdapterFamily, AdapterInfo, Device } from "../../../src/device/mod.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

/** Runs `body` once with the forms of each family of adapters, whatever the adapter is. */
export async function eachFamily(device: Device, body: (family: AdapterFamily) => Promise<void>): Promise<void> {
  for (const family of ["cpu", "gpu"] as const) await inFamily(device, family, () => body(family));
}

/**
 * Runs `body` with the forms of one family of adapters, whatever the adapter is. On a CPU adapter matrix products keep
 * to rows, as each of the dozen tiles that a loss may take is compiled for seconds there; tests of products force tiles
 * by name.
 */
export function inFamily(device: Device, family: AdapterFamily, body: () => Promise<void>): Promise<void> {
  const products = family === "gpu" && device.info.family === "cpu" ? { matmul: "rows" } : {};
  return policyOf(device).with({ family, ...products }, body);
}

/** Runs a body as {@linkcode eachFamily}, with and without subgroups, where the adapter has those of 8 lanes. */
export async function eachForm(device: Device, body: () => Promise<void>): Promise<void> {
  await eachFamily(device, () => body());
  if (policyOf(device).subgroupSize !== 8) return;
  await policyOf(device).with({ subgroups: "off" }, () => eachFamily(device, () => body()));
}

/** Runs `body` with convolutions that leave moments, whatever the adapter is. */
export function withMoments(device: Device, body: () => Promise<void>): Promise<void> {
  return policyOf(device).with({ moments: "fused" }, body);
}

/** Runs a body as {@linkcode eachForm}, and with workgroups that have whole columns, however few these are. */
export async function eachNorm(device: Device, body: () => Promise<void>): Promise<void> {
  await eachForm(device, body);
  await policyOf(device).with({ family: "cpu", batchNorm: "columns" }, body);
}

/** Makes what a choice of form asks of a device, with an adapter and limits of one's own. */
export function pretended(
  info: Partial<AdapterInfo>,
  limits: Pick<GPUSupportedLimits, "maxComputeWorkgroupStorageSize"> | GPUSupportedLimits,
  features: readonly string[] = [],
): Device {
  const parts = new Map<unknown, object>();
  const device = {
    info,
    limits,
    features: new Set(features),
    recordings: { depend() {}, outdate() {} },
    part(kind: new (device: unknown) => object) {
      const part = parts.get(kind) ?? new kind(device);
      parts.set(kind, part);
      return part;
    },
  };
  return device as unknown as Device;
}
