import { type AdapterFamily, Device } from "../mod.ts";
import { Bounds } from "../src/device/bounds.ts";
import { inScope, type NetworkName, trainingStep } from "./_steps.ts";

/** Bytes of a training step. */
export interface Peak {
  /** What tensors hold between steps. */
  readonly held: number;
  /** What tensors hold at once. */
  readonly peak: number;
  /** What the device gave for it. */
  readonly buffers: number;
}

/** Opens a device that only counts; it takes the forms of the shaders for a family, whatever the adapter is. */
async function openCounting(family?: AdapterFamily): Promise<Device> {
  const device = await Device.open();
  device.dispatch = () => {};
  if (family) (device.info as { family: AdapterFamily }).family = family;
  if (family === "gpu") {
    const get = (limits: GPUSupportedLimits, name: keyof GPUSupportedLimits) =>
      name === "maxStorageBufferBindingSize" ? limits.maxBufferSize : limits[name];
    Object.defineProperty(device, "limits", { value: new Proxy(device.limits, { get } as ProxyHandler<never>) });
    Bounds.prototype.checkBytes = () => {}; // read before the limits were others
  }
  return device;
}

/**
 * Counts the bytes of a step, in f32 or in mixed precision. They follow from shapes alone, so nothing is computed: no
 * dispatch reaches the device.
 */
export async function peakOf(
  network: NetworkName,
  images: number,
  family?: AdapterFamily,
  mixed = false,
): Promise<Peak> {
  const device = await openCounting(family);
  const step = trainingStep(device, network, { images, mixed });
  const run = () => inScope(() => void step.run());
  run();
  const { live: held } = device.memory;
  device.resetPeakMemory();
  run();
  const { peak, live, pooled } = device.memory;
  await device.done();
  device.close();
  return { held, peak, buffers: live + pooled };
}
