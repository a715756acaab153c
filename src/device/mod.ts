/**
 * The GPU: how it is opened, what it counts and measures, and how a shader of one's own is run on it. `Device.dispatch`
 * takes a {@linkcode Program} (WGSL with its entry point and parameters) and {@linkcode Bindings} (the storages of
 * tensors); `defineOp` of the package's root makes a differentiable op of it.
 *
 * @example An op with a shader of its own
 * ```ts
 * import { backward, defineOp, Device, mul, requireGrad, square, sum, Tensor, tensor } from "@decoupled/uniformity";
 * import { defineProgram } from "@decoupled/uniformity/device";
 * import { assertEquals } from "@std/assert";
 *
 * const code = `
 * struct Params { size: u32 }
 * @group(0) @binding(0) var<uniform> params: Params;
 * @group(0) @binding(1) var<storage, read> x: array<f32>;
 * @group(0) @binding(2) var<storage, read_write> y: array<f32>;
 *
 * @compute @workgroup_size(64)
 * fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *   let i = id.x + id.y * groups.x * 64u;
 *   if (i < params.size) { y[i] = x[i] * x[i] * x[i]; }
 * }`;
 * const params = { size: "u32" } as const; // as the struct declares them, and how the storages are bound
 * const part = { code, params, access: { 1: "read", 2: "read_write" } } as const;
 * const program = defineProgram({ name: "cube", code: [part], entryPoint: "forward" });
 *
 * const cubeOp = defineOp<[Tensor], null>({
 *   name: "cube",
 *   forward(context, [x]) {
 *     context.save(x);
 *     const y = new Tensor(x.device, x.shape);
 *     const workgroups = x.device.groups(x.size, 64);
 *     x.device.dispatch(program, { params: { size: x.size }, buffers: { 1: x.storage, 2: y.storage }, workgroups });
 *     return y;
 *   },
 *   backward: ({ saved: [x] }, grad) => [mul(grad, mul(square(x!), 3))],
 * });
 *
 * await using _device = await Device.open();
 * const x = requireGrad(tensor([1, 2, -3]));
 * const y = cubeOp([x], null);
 * assertEquals(await y.data(), new Float32Array([1, 8, -27]));
 * backward(sum(y));
 * assertEquals(await x.grad!.data(), new Float32Array([3, 12, 27]));
 * ```
 *
 * @module
 */
export type { AdapterFamily, AdapterInfo, AdapterOptions } from "./adapter.ts";
export { Device } from "./device.ts";
export { DeviceError, type DeviceErrorDetails } from "./errors.ts";
export type { Bindings, BindingsOf, Bound, DispatchOptions, StorageWindow, Workgroups } from "./dispatch.ts";
export type { Counters } from "./encoder.ts";
export type { Block, Reserve } from "./blocks.ts";
export type { MemoryUsage } from "./pool.ts";
export { DeviceStorage } from "./storage.ts";
export type { ProfileRow, Trace, TraceEvent } from "./profiler.ts";
export {
  type Access,
  type Accesses,
  type AccessOf,
  type Constants,
  defineProgram,
  type Param,
  type ParamsOf,
  type ParamType,
  type ParamTypes,
  type ParamValues,
  type Part,
  type Program,
  type ShaderPart,
} from "./program.ts";
export type { ProgramMemo } from "./program_memo.ts";
export type { Recording } from "./replay/recording.ts";
export type { Recordings } from "./replay/recordings.ts";
export { type ReadPart, SyncReader } from "./sync_reader.ts";
