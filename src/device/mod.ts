export type { AdapterFamily, AdapterInfo, AdapterOptions } from "./adapter.ts";
export { type Counters, Device, type DispatchOptions } from "./device.ts";
export { DeviceError, type DeviceErrorDetails } from "./errors.ts";
export type { Constants } from "./pipelines.ts";
export { type Block, type MemoryUsage, Storage } from "./pool.ts";
export type { ProfileRow } from "./profiler.ts";
export type { ParamType, Program } from "./program.ts";
export type { Bindings, Window, Workgroups } from "./recorder.ts";
