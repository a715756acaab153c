import { Device } from "../mod.ts";
import type { AdapterFamily } from "../src/device/mod.ts";
import { Bounds } from "../src/device/bounds.ts";
import { policyOf } from "../src/ops/shared/policy.ts";
import { inScope, type NetworkName, trainingStep } from "./_steps.ts";

/** Bytes and dispatches of a training step. */
export interface Peak {
  /** Bytes that tensors hold between steps. */
  readonly held: number;
  /** Peak of the bytes that tensors hold. */
  readonly peak: number;
  /** Bytes of the device's buffers. */
  readonly buffers: number;
  /** Programs that it runs. */
  readonly dispatches: number;
}

/** A device that only counts. */
interface Counting {
  readonly device: Device;
  /** Dispatches so far. */
  dispatches: number;
}

/** Opens a device that only counts; for the GPU family, one that binds as much as it allocates. */
async function openCounting(family?: AdapterFamily): Promise<Counting> {
  const device = await Device.open();
  const counting = { device, dispatches: 0 };
  device.dispatch = () => void counting.dispatches++;
  if (family === "gpu") {
    const { limits } = device;
    const value = { ...limits, maxStorageBufferBindingSize: limits.maxBufferSize };
    Object.defineProperty(device, "limits", { value });
    Bounds.prototype.checkBytes = () => {}; // read before the limits were others
  }
  return counting;
}

/**
 * Counts the bytes and dispatches of a step, in f32 or in mixed precision. They follow from shapes alone, so nothing is computed: no
 * dispatch reaches the device.
 */
export async function peakOf(
  network: NetworkName,
  images: number,
  family?: AdapterFamily,
  mixed = false,
): Promise<Peak> {
  const counting = await openCounting(family);
  const forms = family ? { family } : {};
  return await policyOf(counting.device).with(forms, () => countStep(counting, network, images, mixed));
}

async function countStep(counting: Counting, network: NetworkName, images: number, mixed: boolean): Promise<Peak> {
  const { device } = counting;
  const step = trainingStep(device, network, { images, mixed });
  const run = () => inScope(() => void step.run());
  run();
  const { live: held } = device.memory;
  device.resetPeakMemory();
  counting.dispatches = 0;
  run();
  const { peak, live, pooled } = device.memory;
  await device.done();
  device.close();
  return { held, peak, buffers: live + pooled, dispatches: counting.dispatches };
}
