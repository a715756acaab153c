// Implementations of WebGPU whose adapters have lower limits and fewer features than the machine's.

/** Limits that every implementation of WebGPU has. */
export const DEFAULT_LIMITS: Readonly<Record<string, number>> = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** Limits and features left of an adapter. */
export interface Lesser {
  /** Limits in place of its own; those that are left out stay. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The features that are left. */
  readonly features?: readonly string[];
}

/** An implementation of WebGPU whose adapters have lower limits and fewer features; devices hold to both. */
export function lesser(gpu: GPU, { limits = DEFAULT_LIMITS, features = [] }: Lesser = {}): GPU {
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      return adapter && lesserAdapter(adapter, limits, features);
    },
  } as GPU;
}

function lesserAdapter(adapter: GPUAdapter, limits: Readonly<Record<string, number>>, features: readonly string[]) {
  return {
    info: adapter.info,
    limits: new Proxy(adapter.limits, { get: (own, name: keyof GPUSupportedLimits) => limits[name] ?? own[name] }),
    features: new Set([...adapter.features as unknown as Iterable<string>].filter((name) => features.includes(name))),
    requestDevice(descriptor: GPUDeviceDescriptor = {}) {
      const refused = [...descriptor.requiredFeatures ?? []].find((name) => !features.includes(name));
      if (refused) return Promise.reject(new TypeError(`Cannot open a device as the adapter lacks ${refused}`));
      return adapter.requestDevice(descriptor);
    },
  } as unknown as GPUAdapter;
}
