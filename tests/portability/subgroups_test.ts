// No adapter at hand has subgroups of 32 or 64 invocations: their shuffles are emulated.
import { assertEquals, assertNotEquals } from "@std/assert";
import { defineProgram, Device } from "../../src/device/mod.ts";
import { laneForm } from "../../src/ops/shared/lanes.ts";
import { lib_lanes, lib_rows } from "../../src/shaders/lib.ts";
import { Tensor } from "../../src/tensor/mod.ts";
import { DIVISIONS, withSubgroups } from "./_subgroups.ts";

/** Each invocation puts a number in, and keeps the row's sum and its largest. */
const ROWS = `
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(local_invocation_id) lane: vec3u) {
  let i = lane.y * LANES + lane.x;
  let mine = f32(i * 7919u % 1001u) - 500.0;
  let sum = sum_row(mine, lane);
  y[2u * i] = sum;
  y[2u * i + 1u] = max_row(mine, lane);
}`;

/** As ROWS, for two sums over all invocations. */
const LANES = `
override LANES: u32 = 1u;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) i: u32) {
  let sums = sum_lanes(V(f32(i * 7919u % 1001u) - 500.0), V(f32(i)), i);
  y[2u * i] = dot(sums[0], V(0.25));
  y[2u * i + 1u] = dot(sums[1], V(0.25));
}`;

const programOf = (parts: Parameters<typeof defineProgram>[0]["code"], code: string) =>
  defineProgram({
    name: "shuffles",
    code: [...parts, { code, params: {}, access: { 1: "read_write" } }],
    entryPoint: "main",
  });
const ROW_SUMS = programOf([lib_rows], ROWS);
const LANE_SUMS = programOf(["alias V = vec4f;", lib_lanes], LANES);

const mineOf = (i: number) => (i * 7919) % 1001 - 500;

/** What the invocations of one workgroup keep; integers, so that the order of sums does not matter. */
async function kept(device: Device, lanes: number, rows?: number): Promise<number[]> {
  using y = new Tensor(device, [2 * lanes * (rows ?? 1)]);
  const constants = { LANES: lanes, ...rows && { ROWS: rows } };
  const buffers = { 1: y.storage };
  device.dispatch(laneForm(device, rows ? ROW_SUMS : LANE_SUMS, lanes), { buffers, constants, workgroups: [1, 1, 1] });
  return Array.from(await y.data());
}

function right(lanes: number, rows?: number): number[] {
  return Array.from({ length: lanes * (rows ?? 1) }, (_, i) => {
    const row = Array.from({ length: lanes }, (_, lane) => Math.floor(i / lanes) * lanes + lane);
    const sum = row.reduce((sum, each) => sum + mineOf(each), 0);
    return [sum, rows ? Math.max(...row.map(mineOf)) : row.reduce((sum, each) => sum + each, 0)];
  }).flat();
}

for (const size of [32, 64] as const) {
  Deno.test(`sums and maxima over workgroups are right in subgroups of ${size} invocations`, async () => {
    await using device = await Device.open({ gpu: withSubgroups(navigator.gpu, size) });
    for (const [lanes, rows] of DIVISIONS) assertEquals(await kept(device, lanes, rows), right(lanes, rows));
  });
}

const has = (await navigator.gpu.requestAdapter())?.features.has("subgroups" as GPUFeatureName) ?? false;

Deno.test("the emulation tells subgroups that are smaller than the adapter says", { ignore: !has }, async () => {
  await using device = await Device.open({ gpu: withSubgroups(navigator.gpu, 64, 32) });
  assertNotEquals(await kept(device, 128, 1), right(128, 1));
  assertNotEquals(await kept(device, 256), right(256));
});
