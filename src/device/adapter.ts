import { DeviceError } from "./errors.ts";

/** Which family of shader variants suits the adapter: a real GPU, or a CPU that plays one (lavapipe, SwiftShader). */
export type AdapterFamily = "gpu" | "cpu";

/** What is known of an adapter. */
export interface AdapterInfo {
  /** Vendor, as the driver names it. */
  readonly vendor: string;
  /** Name of the device, for example `NVIDIA H100` or `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly description: string;
  /** The family of shader variants that suits it. */
  readonly family: AdapterFamily;
  /** Lanes of a subgroup, where subgroup operations work and every subgroup has the same size; otherwise 0. */
  readonly subgroupSize: number;
}

/** Which adapter to ask for. */
export interface AdapterOptions {
  /** `"high-performance"` (the default) or `"low-power"`. */
  powerPreference?: GPUPowerPreference;
}

const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe|software|basic render/i;

const NO_ADAPTER = "Cannot open a device as no WebGPU adapter answers: install a GPU driver with Vulkan, or Mesa's " +
  "software Vulkan (Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1), or run ./dev setup";

/** Asks for an adapter and a device with all the limits and the optional features that the adapter has. */
export async function requestDevice(options: AdapterOptions = {}): Promise<{ gpu: GPUDevice; info: AdapterInfo }> {
  const gpuApi = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpuApi) {
    throw new DeviceError(
      "Cannot open a device as this runtime has no navigator.gpu: Deno 2.9 or a browser with WebGPU is needed",
    );
  }
  const adapter = await gpuApi.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) throw new DeviceError(NO_ADAPTER);
  const gpu = await requestWithFeatures(adapter);
  const { vendor, description, architecture } = adapter.info;
  const family = SOFTWARE.test(`${vendor} ${description} ${architecture}`) ? "cpu" : "gpu";
  const subgroupSize = gpu.features.has("subgroups" as GPUFeatureName) ? sizeOfSubgroups(adapter.info) : 0;
  return { gpu, info: { vendor, description: description || architecture || vendor, family, subgroupSize } };
}

function sizeOfSubgroups(info: GPUAdapterInfo): number {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info;
  return subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0;
}

/** `subgroups` works on drivers that do not list it, so it is tried rather than looked up. */
async function requestWithFeatures(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const listed = (["timestamp-query", "shader-f16"] as GPUFeatureName[]).filter((name) => adapter.features.has(name));
  const label = "uniformity";
  try {
    return await adapter.requestDevice({
      label,
      requiredLimits,
      requiredFeatures: [...listed, "subgroups" as GPUFeatureName],
    });
  } catch {
    return await adapter.requestDevice({ label, requiredLimits, requiredFeatures: listed });
  }
}
