/** An implementation of WebGPU that rewrites shaders before it compiles them, and may tell something else of its adapters. */
export function withRewritten(
  gpu: GPU,
  rewrite: (code: string) => string,
  infoOf: (info: GPUAdapterInfo) => object = (info) => info,
): GPU {
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      return adapter && {
        limits: adapter.limits,
        features: adapter.features,
        info: infoOf(adapter.info),
        requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
          return rewriting(await adapter.requestDevice(descriptor), rewrite);
        },
      };
    },
  } as GPU;
}

function rewriting(device: GPUDevice, rewrite: (code: string) => string): GPUDevice {
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => create({ ...descriptor, code: rewrite(descriptor.code) });
  return device;
}
