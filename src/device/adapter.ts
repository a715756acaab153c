import { checkOptions } from "../checks/internal.ts";
import { DeviceError } from "./errors.ts";

/** Family of tables that suits the adapter: a real GPU, or a CPU that plays one (lavapipe, SwiftShader). */
export type AdapterFamily = "gpu" | "cpu";

/** Facts about an adapter. */
export interface AdapterInfo {
  /** Vendor, as the driver names it. */
  readonly vendor: string;
  /** Name of the device, for example `NVIDIA H100` or `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly description: string;
  /** The family of tables that suits it. */
  readonly family: AdapterFamily;
  /** Lanes of a subgroup, where subgroup operations work and every subgroup has the same size; otherwise 0. */
  readonly subgroupSize: number;
}

/** Options of the adapter to ask for. */
export interface AdapterOptions {
  /** The implementation of WebGPU to ask, for example what `create()` of npm's `webgpu` gives; `navigator.gpu` by default. */
  gpu?: GPU;
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

const ENABLE_SUBGROUPS = "enable subgroups; ";

/** Name of the feature of WGSL by which shaders read storage textures. */
export const READ_TEXTURES = "readonly_and_readwrite_storage_textures";

const NO_WEBGPU =
  "Cannot open a device as this runtime has no navigator.gpu: use Deno 2.9 or a browser with WebGPU, or " +
  "hand over { gpu }, for example what create([]) of npm's webgpu gives";

const NO_ADAPTER = "Cannot open a device as no WebGPU adapter answers: install a GPU driver with Vulkan, or Mesa's " +
  "software Vulkan (Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1), or run ./dev setup";

/** A device of an adapter, before anything is on it. */
export interface Opened {
  /** The implementation that was asked. */
  readonly api: GPU;
  /** WebGPU's own device. */
  readonly gpu: GPUDevice;
  /** Limits of the device, as plain numbers: what WebGPU gives is slow to read. */
  readonly limits: GPUSupportedLimits;
  /** Names of the optional features of the device, and of WGSL, that work. */
  readonly features: ReadonlySet<string>;
  /** Facts about the device's adapter. */
  readonly info: AdapterInfo;
  /**
   * Directives that every shader must begin with here; on one line with its first, so that lines keep their numbers.
   */
  readonly directives: string;
}

/** Asks for an adapter and a device with all the limits and the optional features that the adapter has. */
export async function requestDevice(options: AdapterOptions = {}): Promise<Opened> {
  checkOptions("open a device", options, ["gpu", "powerPreference"]);
  const api = options.gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (!api) throw new DeviceError(NO_WEBGPU);
  const adapter = await api.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) throw new DeviceError(NO_ADAPTER);
  const gpu = await requestWithFeatures(adapter);
  const { vendor, description, architecture } = adapter.info;
  const subgroups = gpu.features.has("subgroups" as GPUFeatureName);
  const info = {
    vendor,
    description: description || architecture || vendor,
    family: isSoftware(adapter.info) ? "cpu" : "gpu",
    subgroupSize: subgroups ? sizeOfSubgroups(adapter.info) : 0,
  } as const;
  const directives = subgroups && await takes(gpu, ENABLE_SUBGROUPS) ? ENABLE_SUBGROUPS : "";
  const features = new Set<string>([...gpu.features as unknown as Iterable<string>, ...wgslFeatures(api)]);
  return { api, gpu, info, limits: plainLimits(gpu), features, directives };
}

/** The features of WGSL that the library makes use of, of those that an implementation tells of. */
function wgslFeatures(api: GPU): string[] {
  const { wgslLanguageFeatures: told } = api as { wgslLanguageFeatures?: ReadonlySet<string> };
  return told?.has(READ_TEXTURES) ? [READ_TEXTURES] : [];
}

/** Copies the limits; some implementations let them be read but not enumerated. */
function plainLimits({ limits }: GPUDevice): GPUSupportedLimits {
  const plain: Record<string, number> = {};
  for (let each: object = limits; each && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) {
      const value: unknown = limits[name as keyof GPUSupportedLimits];
      if (typeof value === "number") plain[name] = value;
    }
  }
  return Object.freeze(plain) as unknown as GPUSupportedLimits;
}

/** Chromium tells no description of SwiftShader, Deno 2.9 has no `isFallbackAdapter` of some drivers: either will do. */
function isSoftware(info: GPUAdapterInfo): boolean {
  const { vendor, description, architecture, isFallbackAdapter = false } = info as GPUAdapterInfo & {
    isFallbackAdapter?: boolean;
  };
  return isFallbackAdapter || SOFTWARE.test(`${vendor} ${description} ${architecture}`);
}

/** Whether shaders may begin with a directive: the standard wants an extension named, naga 29 refuses the name. */
async function takes(gpu: GPUDevice, directive: string): Promise<boolean> {
  gpu.pushErrorScope("validation");
  gpu.createShaderModule({ label: "probe", code: `${directive}@compute @workgroup_size(1) fn main() {}` });
  return await gpu.popErrorScope() === null;
}

function sizeOfSubgroups(info: GPUAdapterInfo): number {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info;
  return subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0;
}

/** Opens a device with all features that work; `subgroups`, which some drivers have and do not list, is tried. */
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
