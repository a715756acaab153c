// The batch sizes that were published, with the real networks, on a device that computes nothing and has the limits that
// every WebGPU device has: what would not fit is refused there as on any other.
import { assert, assertEquals } from "@std/assert";
import { Device, scope, zeros } from "../../mod.ts";
import type { DispatchOptions, Program } from "../../src/device/mod.ts";
import type { ViewSource } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { contrastive, resnet18, resnet50 } from "../../src/nn/mod.ts";
import { pretrain } from "../../src/train/mod.ts";
import { type NullAdapter, nullGpu } from "../portability/_null_gpu.ts";

/** WebGPU's default limits. */
const LEAST: NullAdapter = {
  subgroupSize: 0,
  software: false,
  limits: {
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 27,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65535,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  },
};

/** One batch of two views of `size` px, in the parts that are asked for. */
class OneBatch implements ViewSource {
  readonly parts: number[] = [];

  constructor(readonly device: Device, readonly length: number, readonly size: number, readonly onStart: () => void) {}

  async *batches({ order, sizes, views }: Parameters<ViewSource["batches"]>[0]) {
    await Promise.resolve();
    this.onStart();
    let at = 0;
    for (const n of sizes) {
      this.parts.push(n);
      const rows = order.slice(at, at += n);
      using _ = scope();
      const { device, size } = this;
      yield {
        rows,
        indices: zeros([n], { dtype: "u32", device }),
        views: zeros([n, views, size, size, 3], { device }),
      };
    }
  }

  dispose(): void {}
}

/** What a step took. */
interface Taken {
  readonly parts: readonly number[];
  dispatches: number;
  largestBinding: number;
  peak: number;
}

async function stepOf(
  network: "resnet18" | "resnet50",
  batchSize: number,
  size: number,
  prior: number,
): Promise<Taken> {
  const device = await Device.open({ gpu: nullGpu(LEAST, []) });
  const taken = { parts: [] as number[], dispatches: 0, largestBinding: 0, peak: 0 };
  const { dispatch } = device;
  device.dispatch = (program: Program, options: DispatchOptions) => {
    dispatch.call(device, program, options);
    taken.dispatches++;
    for (const each of Object.values(options.buffers)) {
      if (each) taken.largestBinding = Math.max(taken.largestBinding, "size" in each ? each.size : each.bytes);
    }
  };
  const onStart = () => { // what was rehearsed before it is not counted
    Object.assign(taken, { dispatches: 0, largestBinding: 0 });
    device.resetPeakMemory();
  };
  const stem = size < 64 ? "cifar" as const : "imagenet" as const;
  const model = contrastive((network === "resnet18" ? resnet18 : resnet50)({ stem, numClasses: 2048, device }), {});
  const source = new OneBatch(device, batchSize, size, onStart);
  const config = { epochs: 1, batchSize, lr: 0.3, optimizer: "lars", kernel: rbf({ sigma: 10 }) } as const;
  for await (const { steps } of pretrain(model, { source, prior: zeros([batchSize, prior], { device }) }, config)) {
    assertEquals(steps, 1);
  }
  taken.peak = device.memory.peak;
  device.close();
  return { ...taken, parts: source.parts };
}

/** Network, batch, side in px, width of the prior; and the most parts and GB that a step may take. */
const PUBLISHED = {
  "CIFAR-10": ["resnet18", 256, 32, 768, 2, 1.6],
  "CUB-200": ["resnet18", 256, 224, 312, 14, 1.6],
  "CheXpert": ["resnet18", 1024, 224, 768, 56, 2.6],
  "ImageNet-100": ["resnet50", 256, 224, 120, 14, 4],
} as const;

for (const [name, [network, batch, size, prior, parts, gigabytes]] of Object.entries(PUBLISHED)) {
  Deno.test(`a step on the published batch of ${name} fits WebGPU's default limits`, async () => {
    const taken = await stepOf(network, batch, size, prior);
    assertEquals(taken.parts.reduce((sum, each) => sum + each), batch);
    assert(taken.parts.length > 1 && taken.parts.length <= parts, `${taken.parts.length} parts`);
    assert(taken.dispatches > 60 * parts, `${taken.dispatches} dispatches`);
    assert(taken.largestBinding > 2 ** 26 && taken.largestBinding <= 2 ** 27, `a binding of ${taken.largestBinding}`);
    assert(taken.peak <= gigabytes * 1e9, `${taken.peak} bytes`);
  });
}
