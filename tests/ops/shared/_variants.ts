import type { AdapterFamily, Device } from "../../../src/device/mod.ts";
import type { AlgorithmName } from "../../../src/ops/conv/_conv2d_algorithms.ts";
import { BATCH_NORM, MOMENTS } from "../../../src/ops/shared/variants.ts";

/** Runs `body` once with the shader variants of each family of adapters, whatever the adapter is. */
export async function eachFamily(device: Device, body: (family: AdapterFamily) => Promise<void>): Promise<void> {
  for (const family of ["cpu", "gpu"] as const) await inFamily(device, family, () => body(family));
}

/** Runs `body` with the shader variants of one family of adapters, whatever the adapter is. */
export async function inFamily(device: Device, family: AdapterFamily, body: () => Promise<void>): Promise<void> {
  const info = device.info as { family: AdapterFamily };
  const before = info.family;
  try {
    info.family = family;
    await body();
  } finally {
    info.family = before;
  }
}

/** As {@linkcode eachFamily}, with and without subgroups, where the adapter has those of 8 lanes. */
export async function eachForm(device: Device, body: () => Promise<void>): Promise<void> {
  await eachFamily(device, () => body());
  const info = device.info as { family: AdapterFamily; subgroupSize: number };
  const before = { ...info };
  if (before.subgroupSize !== 8) return;
  try {
    info.subgroupSize = 0;
    await eachFamily(device, () => body());
  } finally {
    Object.assign(info, before);
  }
}

/** Runs `body` with convolutions that leave moments, whatever the adapter is. */
export async function withMoments(device: Device, body: () => Promise<void>): Promise<void> {
  const table = MOMENTS[device.info.family] as Record<AlgorithmName, boolean>;
  const before = { ...table };
  try {
    Object.assign(table, { direct: true, product: true, winograd3: true, winograd4: true });
    await body();
  } finally {
    Object.assign(table, before);
  }
}

/** As {@linkcode eachForm}, and with workgroups that have whole columns, however few these are. */
export async function eachNorm(device: Device, body: () => Promise<void>): Promise<void> {
  await eachForm(device, body);
  const table = BATCH_NORM.cpu.columns as { least: number };
  const before = table.least;
  try {
    table.least = 0;
    await inFamily(device, "cpu", body);
  } finally {
    table.least = before;
  }
}
