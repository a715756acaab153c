// The dispatches of a training step on a GPU that is not there: counted, not run.
import { Device, scope } from "../../mod.ts";
import type { DispatchOptions, Program } from "../../src/device/mod.ts";
import { type NullAdapter, nullGpu, type Pipeline } from "../../tests/portability/_null_gpu.ts";
import { inScope, type NetworkName, trainingStep } from "../_steps.ts";

/** A GPU as large ones present themselves to WebGPU, with subgroups of 32 lanes. */
export const LARGE: NullAdapter = {
  subgroupSize: 32,
  software: false,
  limits: {
    maxBufferSize: 2 ** 34,
    maxStorageBufferBindingSize: 2 ** 31 - 4,
    maxStorageBuffersPerShaderStage: 16,
    maxComputeWorkgroupStorageSize: 32768,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupSizeY: 1024,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65535,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  },
};

/** One dispatch. */
export interface Dispatch {
  /** Workgroups. */
  readonly workgroups: number;
  /** Bytes of all that is bound. */
  readonly bound: number;
  /** The op it belongs to. */
  readonly op: string;
  /** Scalars of the dispatch. */
  readonly params: Readonly<Record<string, number>>;
}

/** A pipeline, and its dispatches in a step. */
export interface Used {
  /** The pipeline. */
  readonly pipeline: Pipeline;
  /** Dispatches of the pipeline. */
  readonly dispatches: Dispatch[];
}

/** Settings of a step; `images` are views, two of a sample. */
export interface StepSettings {
  /** The network. */
  readonly network: NetworkName;
  /** Views in a batch. */
  readonly images: number;
  /** Whether in mixed precision. */
  readonly mixed: boolean;
  /** Precision in which products may sum a few terms, in mixed precision; f32 by default. */
  readonly sums?: "f32" | "f16";
}

/** The pipelines of the second training step, when all states are there, with their dispatches. */
export async function dispatchesOf({ network, images, mixed, sums }: StepSettings): Promise<Used[]> {
  const dispatched: Pipeline[] = [];
  const device = await Device.open({ gpu: nullGpu(LARGE, [], dispatched) });
  try {
    using _ = scope();
    const step = trainingStep(device, network, { images, mixed, sums });
    const run = () => inScope(() => void step.run());
    run();
    device.flush();
    const before = dispatched.length;
    const noted = notes(device, run);
    device.flush();
    step.dispose();
    return grouped(noted, dispatched.slice(before));
  } finally {
    device.close();
  }
}

/** Records what `body` dispatches. */
function notes(device: Device, body: () => void): Dispatch[] {
  const { dispatch, run } = device;
  const all: Dispatch[] = [];
  let op = "";
  const watched = {
    run<T>(name: string, shapes: readonly (readonly number[])[], inner: () => T): T {
      const outer = op;
      op ||= `${name} ${shapes.map((shape) => `[${shape}]`).join("")}`;
      try {
        return run.call(device, name, shapes, inner) as T;
      } finally {
        op = outer;
      }
    },
    dispatch(program: Program, options: DispatchOptions) {
      all.push({ ...sizesOf(options), op });
      dispatch.call(device, program, options);
    },
  };
  Object.assign(device, watched);
  try {
    body();
  } finally {
    for (const name of Object.keys(watched)) delete (device as unknown as Record<string, unknown>)[name];
  }
  return all.filter(({ workgroups }) => workgroups > 0);
}

function sizesOf({ workgroups, buffers, params = {} }: DispatchOptions): Omit<Dispatch, "op"> {
  const bytes = Object.values(buffers).map((each) => !each ? 0 : "size" in each ? each.size : each.bytes);
  return {
    workgroups: workgroups.reduce((a, b) => a * b, 1),
    bound: bytes.reduce((a, b) => a + b, 0),
    params: Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === "number" ? value : value()]),
    ),
  };
}

function grouped(dispatches: readonly Dispatch[], pipelines: readonly Pipeline[]): Used[] {
  if (dispatches.length !== pipelines.length) {
    throw new Error(
      `Cannot count a step as every dispatch must reach the device: got ${pipelines.length} of ${dispatches.length}`,
    );
  }
  const used = new Map<string, Used>();
  dispatches.forEach((dispatch, i) => {
    const pipeline = pipelines[i]!;
    const key = `${pipeline.code} ${pipeline.entryPoint} ${JSON.stringify(pipeline.constants)}`;
    let found = used.get(key);
    if (!found) used.set(key, found = { pipeline, dispatches: [] });
    found.dispatches.push(dispatch);
  });
  return [...used.values()];
}
