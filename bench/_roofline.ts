import type { Device } from "../mod.ts";
import type { Ceilings } from "./_ceilings.ts";
import { inScope, type NetworkName, NETWORKS, trainingStep } from "./_steps.ts";
import { percent, short, table } from "./_table.ts";
import { dryRun, trace, type TracedOp } from "./_trace.ts";
import { type Work, workOf } from "./_work.ts";

/** One op on one set of shapes in a step, all its calls together. */
export interface RooflineLine extends Work {
  /** Op, shapes of its inputs, and that of its output where the inputs do not tell. */
  readonly name: string;
  /** Number of calls. */
  readonly calls: number;
  /** GPU time of all calls; absent where the step was only counted. */
  readonly milliseconds?: number;
}

/** The ops of a step at any size, counted without running it, and the memory that it would take. */
export function countStep(
  device: Device,
  network: NetworkName,
  images: number,
): { lines: RooflineLine[]; peakBytes: number } {
  return dryRun(device, (memory) => {
    const step = trainingStep(device, network, { images, augmented: true });
    inScope(() => step.run());
    memory.resetPeak();
    const ops = inScope(() => trace(device, () => step.run()));
    const peakBytes = memory.usage().peak;
    step.dispose();
    return { lines: grouped(ops, step.parameters), peakBytes };
  });
}

/** The ops of a step with the GPU time of each, by timestamp queries. */
export async function timeStep(device: Device, network: NetworkName, images: number): Promise<RooflineLine[]> {
  const step = trainingStep(device, network, { images, augmented: true });
  for (let i = 0; i < 2; i++) inScope(() => step.run());
  await device.done();
  device.startProfile();
  const ops = inScope(() => trace(device, () => step.run()));
  const times = new Map<number, number>();
  for (const { name, milliseconds } of await device.stopProfile()) {
    const index = Number(/^#(\d+) /.exec(name)?.[1] ?? -1);
    times.set(index, (times.get(index) ?? 0) + milliseconds);
  }
  step.dispose();
  return grouped(ops, step.parameters, times);
}

function grouped(ops: readonly TracedOp[], parameters: number, times?: Map<number, number>): RooflineLine[] {
  const lines = new Map<string, RooflineLine>();
  for (const op of ops) {
    const name = labelOf(op);
    const { flop, bytes } = workOf(op, parameters);
    const line = lines.get(name) ?? { name, calls: 0, flop: 0, bytes: 0, milliseconds: 0 };
    const milliseconds = times && line.milliseconds! + (times.get(op.index) ?? 0);
    lines.set(name, { name, calls: line.calls + 1, flop: line.flop + flop, bytes: line.bytes + bytes, milliseconds });
  }
  return [...lines.values()];
}

function labelOf({ name, inputs, output }: TracedOp): string {
  // Vectors (biases, scales) say nothing that the others do not.
  const shapes = inputs.filter((shape, i) => i === 0 || shape.length > 1).map((shape) => `[${shape}]`).join("");
  const strided = /^(conv|normConv)2d/.test(name) && output && output[1]! * 2 <= inputs[0]![1]! + 1;
  return `${name} ${shapes}${strided ? " stride 2" : ""}`.trim();
}

/** Computes the least milliseconds of some work under ceilings. */
export function floorOf({ flop, bytes }: Work, { gigaflops, gigabytes }: Ceilings): number {
  return Math.max(flop / gigaflops, bytes / gigabytes) / 1e6;
}

/** Tabulates where the time of a measured step went, the largest loss against the floor first. */
export function timedTable(lines: readonly RooflineLine[], limits: Ceilings, rows = Infinity): string {
  const lost = (line: RooflineLine) => line.milliseconds! - floorOf(line, limits);
  const body = lines.toSorted((a, b) => lost(b) - lost(a)).map((line) => {
    const ms = line.milliseconds!;
    const rates = [short(line.flop / ms / 1e6), short(line.bytes / ms / 1e6)];
    const work = [short(line.flop / 1e9), short(line.bytes / 1e6)];
    return [
      line.name,
      line.calls,
      ...work,
      short(ms),
      ...rates,
      percent(floorOf(line, limits) / ms),
      short(lost(line)),
    ];
  });
  const head = ["op and shapes", "calls", "GFLOP", "MB", "ms", "GFLOP/s", "GB/s", "of the ceiling", "lost ms"];
  return table(head, body.slice(0, rows));
}

/** Tabulates what a counted step needs at least, the longest first. */
export function countedTable(lines: readonly RooflineLine[], limits: Ceilings, rows = Infinity): string {
  const body = lines.toSorted((a, b) => floorOf(b, limits) - floorOf(a, limits)).map((line) => [
    line.name,
    line.calls,
    short(line.flop / 1e9),
    short(line.bytes / 1e6),
    short(line.flop / line.bytes),
    short(floorOf(line, limits)),
    line.flop / limits.gigaflops > line.bytes / limits.gigabytes ? "FLOP/s" : "bytes",
  ]);
  const head = ["op and shapes", "calls", "GFLOP", "MB", "FLOP/byte", "floor ms", "bound by"];
  return table(head, body.slice(0, rows));
}

/** Sums over a step. */
export function totalOf(lines: readonly RooflineLine[], limits: Ceilings) {
  const add = (value: (line: RooflineLine) => number) => lines.reduce((sum, line) => sum + value(line), 0);
  return {
    gflop: add(({ flop }) => flop) / 1e9,
    gigabytes: add(({ bytes }) => bytes) / 1e9,
    milliseconds: add(({ milliseconds = 0 }) => milliseconds),
    floor: add((line) => floorOf(line, limits)),
  };
}

/** Names a step, for a title. */
export function stepName(network: NetworkName, images: number): string {
  const { name, size } = NETWORKS[network];
  return `${name}, ${size} px, 2 x ${images / 2} images`;
}
