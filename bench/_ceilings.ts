import { type Device, Tensor } from "../mod.ts";
import { defineProgram } from "../src/device/mod.ts";

/** Measured ceilings of a device. */
export interface Ceilings {
  /** Bytes read and written a second by a copy, in GB/s. */
  readonly gigabytes: number;
  /** Fused multiply-adds that need no memory, counted as two operations, in GFLOP/s. */
  readonly gigaflops: number;
}

const COPY = defineProgram({
  name: "copyCeiling",
  code: [{
    params: {},
    access: { 1: "read", 2: "read_write" },
    code: `
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * 65535u * 256u + id.x;
  if (i < arrayLength(&x)) { y[i] = x[i]; }
}`,
  }],
  entryPoint: "main",
});

const LANES = 8;
const ROUNDS = 256;

/** Eight independent chains of FMAs on four lanes each. */
const FMA = defineProgram({
  name: "fmaCeiling",
  code: [{
    params: {},
    access: { 1: "read_write" },
    code: `
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = f32(id.x) * 1e-9;
  ${Array.from({ length: LANES }, (_, i) => `var a${i} = vec4f(k + ${i}.0);`).join(" ")}
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    ${Array.from({ length: LANES }, (_, i) => `a${i} = fma(a${i}, vec4f(0.999), vec4f(k));`).join(" ").repeat(4)}
  }
  let sum = ${Array.from({ length: LANES }, (_, i) => `a${i}`).join(" + ")};
  y[id.x] = sum.x + sum.y + sum.z + sum.w;
}`,
  }],
  entryPoint: "main",
});

/** Milliseconds of GPU time of one run of `body`: the best of a few, by timestamp queries. */
export async function gpuTime(device: Device, body: () => void, runs = 5): Promise<number> {
  body();
  await device.done();
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    device.startProfile();
    body();
    const rows = await device.stopProfile();
    best = Math.min(best, rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
  }
  return best;
}

/** Measures the ceilings of a device. */
export async function ceilings(device: Device): Promise<Ceilings> {
  const bytes = Math.min(device.limits.maxStorageBufferBindingSize, 2 ** (device.info.family === "gpu" ? 29 : 25));
  using from = new Tensor(device, [bytes / 4]);
  using to = new Tensor(device, [bytes / 4]);
  const copy = await gpuTime(device, () =>
    device.dispatch(COPY, {
      buffers: { 1: from.storage, 2: to.storage },
      workgroups: device.groups(bytes / 16, 256),
    }));
  const invocations = device.info.family === "gpu" ? 2 ** 20 : 2 ** 13;
  using sums = new Tensor(device, [invocations]);
  const fma = await gpuTime(
    device,
    () => device.dispatch(FMA, { buffers: { 1: sums.storage }, workgroups: [invocations / 64, 1, 1] }),
  );
  const operations = invocations * ROUNDS * 4 * LANES * 4 * 2;
  return { gigabytes: 2 * bytes / copy / 1e6, gigaflops: operations / fma / 1e6 };
}
