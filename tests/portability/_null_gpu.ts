// An implementation of WebGPU that computes nothing and keeps every pipeline that is asked for: so all shaders are seen, in
// the forms of any adapter, without one.

/** A pipeline as it was asked for. */
export interface Pipeline {
  /** Program and entry point. */
  readonly label: string;
  /** WGSL. */
  readonly code: string;
  /** The function to run. */
  readonly entryPoint: string;
  /** Values of `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Bindings of the layout. */
  readonly entries: readonly GPUBindGroupLayoutEntry[];
}

/** Features and limits of the pretended adapter. */
export interface NullAdapter {
  /** Lanes of a subgroup; 0: no subgroups. */
  readonly subgroupSize: number;
  /** Whether it is a CPU. */
  readonly software: boolean;
  /** Limits. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Makes an object that does nothing, and resolves to nothing. */
function nothing<T>(more: Partial<Record<string, unknown>> = {}): T {
  return more as T;
}

function buffer({ size }: GPUBufferDescriptor): GPUBuffer {
  return nothing({
    size,
    destroy() {},
    unmap() {},
    mapAsync: () => Promise.resolve(),
    getMappedRange: (_offset = 0, bytes = size) => new ArrayBuffer(bytes),
  });
}

function encoder(dispatched: Pipeline[]): GPUCommandEncoder {
  let pipeline: Pipeline | null = null;
  const pass = {
    setPipeline: (given: Pipeline) => void (pipeline = given),
    setBindGroup() {},
    dispatchWorkgroups: () => void dispatched.push(pipeline!),
    end() {},
  };
  return nothing({
    beginComputePass: () => pass,
    copyBufferToBuffer() {},
    copyBufferToTexture() {},
    clearBuffer() {},
    finish: () => nothing(),
  });
}

function nullDevice(adapter: NullAdapter, pipelines: Pipeline[], dispatched: Pipeline[]): GPUDevice {
  return nothing({
    limits: adapter.limits,
    features: new Set(["shader-f16", ...(adapter.subgroupSize > 0 ? ["subgroups"] : [])]),
    lost: new Promise(() => {}),
    queue: { submit() {}, writeBuffer() {}, onSubmittedWorkDone: () => Promise.resolve() },
    addEventListener() {},
    destroy() {},
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(null),
    createBuffer: buffer,
    createTexture: () => nothing({ createView: () => nothing(), destroy() {} }),
    createCommandEncoder: () => encoder(dispatched),
    createBindGroup: () => nothing(),
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => ({ code }),
    createBindGroupLayout: ({ entries }: GPUBindGroupLayoutDescriptor) => ({ entries }),
    createPipelineLayout: ({ bindGroupLayouts }: GPUPipelineLayoutDescriptor) => [...bindGroupLayouts][0],
    createComputePipeline({ label, layout, compute }: GPUComputePipelineDescriptor) {
      const { entries } = layout as unknown as { entries: GPUBindGroupLayoutEntry[] };
      const { code } = compute.module as unknown as { code: string };
      const { entryPoint, constants } = compute;
      const pipeline = { label, code, entryPoint, constants, entries } as Pipeline;
      pipelines.push(pipeline);
      return nothing(pipeline as never);
    },
  });
}

/**
 * An implementation whose devices put the pipelines that they are asked for into `pipelines`, and that of each dispatch into
 * `dispatched`.
 */
export function nullGpu(adapter: NullAdapter, pipelines: Pipeline[], dispatched: Pipeline[] = []): GPU {
  const { subgroupSize, software, limits } = adapter;
  const info = { vendor: "none", architecture: "", device: "", description: "null", isFallbackAdapter: software };
  return nothing({
    wgslLanguageFeatures: new Set(["readonly_and_readwrite_storage_textures"]),
    requestAdapter: () =>
      Promise.resolve({
        limits,
        features: new Set(["shader-f16"]),
        info: { ...info, subgroupMinSize: subgroupSize, subgroupMaxSize: subgroupSize },
        requestDevice: ({ requiredFeatures }: { requiredFeatures: string[] }) =>
          subgroupSize === 0 && requiredFeatures.includes("subgroups")
            ? Promise.reject(new TypeError("Cannot open a device as there are no subgroups"))
            : Promise.resolve(nullDevice(adapter, pipelines, dispatched)),
      }),
  });
}
