import { backward, Device, keep, key, rbfGram, requireGrad, scope, uniform, zeros } from "../mod.ts";
import type { DispatchOptions, Program } from "../src/device/mod.ts";
import { type Communicator, Exchange, GradientBuckets, SingleProcess } from "../src/distributed/mod.ts";
import { DeviceDesign } from "../src/eval/design.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, ResNet, syncBatchNorm } from "../src/nn/mod.ts";
import { hatMatrix } from "../src/ops/mod.ts";
import { nullGpu } from "../tests/portability/_null_gpu.ts";
import { LARGE } from "./gpu_compile/_step.ts";
import { inScope, trainingStep } from "./_steps.ts";

/** Work and memory of one run, counted from what is dispatched and allocated. */
export interface Counts {
  /** Operations of products and of sums over pairs, a multiply-add counted as two. */
  readonly flop: number;
  /** Bytes of what the dispatches have bound, or of what a rank sends. */
  readonly bytes: number;
  /** Bytes that tensors hold at the peak. */
  readonly peak: number;
  /** Dispatches. */
  readonly dispatches: number;
}

/** A quantity that grows, and what is counted at its values. */
export interface Axis {
  /** Name of what grows, and the work. */
  readonly name: string;
  /** Values, the smallest first. */
  readonly values: readonly number[];
  /** Exponents that the mathematics requires. */
  readonly required: Readonly<Partial<Record<keyof Counts, number>>>;
  /** Counts the work at a value. */
  count(value: number): Promise<Counts>;
}

/** Counts on a device that runs nothing, with the forms for GPUs; `prepare` gives what is to be counted. */
async function counted(prepare: (device: Device) => () => unknown): Promise<Counts> {
  const device = await Device.open({ gpu: nullGpu(LARGE, [], []) });
  using _ = scope();
  const run = prepare(device);
  const total = { flop: 0, bytes: 0, dispatches: 0 };
  const { dispatch } = device;
  device.dispatch = (program: Program, options: DispatchOptions) => {
    for (const each of Object.values(options.buffers)) {
      total.bytes += !each ? 0 : "size" in each ? each.size : each.bytes;
    }
    total.flop += flopOf(options);
    total.dispatches++;
    dispatch.call(device, program, options);
  };
  device.resetPeakMemory();
  await run();
  const { peak } = device.memory;
  device.close();
  return { ...total, peak };
}

/** Operations of a product (each group, phase and part of its sum is a layer of workgroups), or of squared distances. */
function flopOf({ params = {}, workgroups }: DispatchOptions): number {
  const { rows = 0, cols4 = 0, inner = 0, splits = 1, stride_h = 1, stride_w = 1, cols = 0, features = 0 } =
    params as Readonly<Record<string, number>>;
  const layers = workgroups[2] / splits / (stride_h * stride_w);
  return 8 * rows * cols4 * inner * layers + 8 * rows * cols * features; // features in vectors of four
}

function step(images: number, size: number): Promise<Counts> {
  return counted((device) => {
    const each = trainingStep(device, "resnet18", { images, size });
    inScope(() => void each.run());
    return () => inScope(() => void each.run());
  });
}

function weights(n: number): Promise<Counts> {
  return counted((device) => {
    const prior = keep(uniform([n, 2048], { key: key(1), device }));
    return () => inScope(() => void hatMatrix(rbfGram(prior, prior, { gamma: 1 / 200 }), { ridge: 0.01 }));
  });
}

function loss(n: number): Promise<Counts> {
  return counted((device) => {
    const given = keep(zeros([n, n], { device }));
    const z = requireGrad(keep(uniform([n, 2, 256], { key: key(2), device })));
    return () => inScope(() => backward(decoupledUniformity(z, { weights: given })));
  });
}

/** One evaluation of logistic regression's gradient, and its preconditioner. */
export function linear(rows: number, classes: number, dim: number): Promise<Counts> {
  return counted((device) => async () => {
    using design = new DeviceDesign({ data: new Float32Array(rows * dim), dim }, device);
    await design.times(new Float64Array((dim + 1) * classes), classes);
    await design.transposedTimes(new Float64Array(rows * classes), classes);
    await design.precondition(new Float64Array((dim + 1) * classes), classes, 1);
  });
}

/** One of so many ranks: the others send what it sends. */
class OneOfMany extends SingleProcess implements Communicator {
  override readonly traffic = { calls: 0, bytes: 0, milliseconds: 0 };

  constructor(override readonly size: 1) {
    super();
  }

  override allGather(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
    this.#sends(data);
    const own = super.allGather(data);
    const all = new Uint8Array(own.length * this.size);
    for (let rank = 0; rank < this.size; rank++) all.set(own, rank * own.length);
    return all;
  }

  override allReduce(data?: ArrayBufferView): void {
    this.#sends(data!);
  }

  override startAllReduce(data?: ArrayBufferView): Promise<void> {
    this.#sends(data!);
    return Promise.resolve();
  }

  #sends({ byteLength }: ArrayBufferView): void {
    this.traffic.calls++;
    this.traffic.bytes += byteLength;
  }
}

/** A step of a narrow ResNet-18 on one of `ranks` ranks, of 8 views each. */
async function rank(ranks: number): Promise<Counts> {
  const device = await Device.open();
  const group = new OneOfMany(ranks as 1);
  const layout = { block: "basic", layers: [2, 2, 2, 2], widths: [8, 16, 32, 64] } as const;
  const model = contrastive(new ResNet(layout, { stem: "cifar", numClasses: 64, device }), { projection: 16 });
  const exchange = await Exchange.open(group, device);
  const buckets = new GradientBuckets(group, exchange.reader, model.parameters(), {});
  syncBatchNorm(model, exchange);
  using _ = scope();
  const views = uniform([4, 2, 8, 8, 3], { key: key(1), device });
  const before = device.counters.dispatches;
  device.resetPeakMemory();
  backward(decoupledUniformity(model.forward(views)), { onGrad: (leaf) => buckets.ready(leaf) });
  await buckets.finish();
  const { peak } = device.memory;
  const dispatches = device.counters.dispatches - before;
  exchange.dispose();
  await device.done();
  device.close();
  return { flop: 0, bytes: group.traffic.bytes, peak, dispatches };
}

/** Axes of growth, at sizes that tell the exponent and are cheap to count. */
export const AXES: readonly Axis[] = [
  {
    name: "images, ResNet-18 step",
    values: [128, 256, 512],
    required: { flop: 1, bytes: 1, peak: 1, dispatches: 0 },
    count: (images) => step(images, 32),
  },
  {
    name: "image size, ResNet-18 step of 64",
    values: [32, 64, 128],
    required: { flop: 2, bytes: 2, peak: 2, dispatches: 1 }, // Winograd's chunks are of bounded size
    count: (size) => step(64, size),
  },
  {
    name: "n, centroid weights of 2048 features",
    values: [1024, 2048, 4096],
    required: { flop: 3, bytes: 3, peak: 2, dispatches: 1 },
    count: weights,
  },
  {
    name: "n, loss of 2 x 256 features",
    values: [1024, 2048, 4096],
    required: { flop: 2, bytes: 2, peak: 2, dispatches: 0 },
    count: loss,
  },
  {
    name: "rows, linear evaluation, 256 features",
    values: [4096, 8192, 16384],
    required: { flop: 1, bytes: 1, peak: 1, dispatches: 0 },
    count: (rows) => linear(rows, 10, 256),
  },
  {
    name: "features, linear evaluation, 4096 rows",
    values: [256, 512, 1024],
    required: { flop: 3, bytes: 3, peak: 2, dispatches: 1 },
    count: (dim) => linear(4096, 10, dim),
  },
  {
    name: "classes, linear evaluation, 4096 x 256",
    values: [64, 256, 1024],
    required: { flop: 1, bytes: 1, peak: 1, dispatches: 0 },
    count: (classes) => linear(4096, classes, 256),
  },
  {
    name: "ranks, step of a narrow ResNet-18, of one",
    values: [2, 4, 8],
    required: { bytes: 0, peak: 1, dispatches: 0 },
    count: rank,
  },
];

/** Exponent of the power law that fits best, `log y = a + b log x`; null where something is 0. */
export function exponentOf(x: readonly number[], y: readonly number[]): number | null {
  if (y.some((value) => value <= 0)) return null;
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [mu, mv] = [mean(u), mean(v)];
  const share = u.reduce((sum, each, i) => sum + (each - mu) * (v[i]! - mv), 0);
  return share / u.reduce((sum, each) => sum + (each - mu) ** 2, 0);
}
