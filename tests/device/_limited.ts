import { Device } from "../../src/device/mod.ts";

/** Opens a device whose adapter has lower limits: what a larger problem meets on this one. */
export async function openLimited(limits: Partial<Record<keyof GPUSupportedLimits, number>>): Promise<Device> {
  const gpu = navigator.gpu;
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await gpu.requestAdapter(options);
    return adapter && inFrontOf(adapter, {
      requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
        const device = await adapter.requestDevice(descriptor);
        return Object.defineProperty(device, "limits", { value: inFrontOf(device.limits, limits) });
      },
    });
  };
  return await Device.open({ gpu: { requestAdapter } as unknown as GPU });
}

function inFrontOf<T extends object>(target: T, members: object): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in members) return members[name as never];
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
