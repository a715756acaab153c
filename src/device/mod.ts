export type { AdapterFamily, AdapterInfo, AdapterOptions } from "./adapter.ts";
export { Device } from "./device.ts";
export { DeviceError, type DeviceErrorDetails } from "./errors.ts";
export type { Counters, DispatchOptions } from "./options.ts";
export type { Constants } from "./pipelines.ts";
export { type Block, type MemoryUsage, Storage } from "./pool.ts";
export type { ProfileRow } from "./profiler.ts";
export type { ParamType, Program } from "./program.ts";
export type { Bindings, Window, Workgroups } from "./recorder.ts";
