// The passes of batch normalisation, separately callable so that synchronised batch normalisation can gather the moments
// and sum the two reductions over ranks between them.
import type { Device, Program, Workgroups } from "../device/mod.ts";
import { batch_norm, batch_norm_grad, lib_flat, lib_slices } from "../device/shaders.gen.ts";
import { sizeOf, Tensor } from "../tensor/mod.ts";
import { BATCH_NORM, type SliceTable } from "./_variants.ts";

const FORWARD_PARAMS = {
  rows: "u32",
  columns: "u32",
  slices: "u32",
  step: "u32",
  block: "u32",
  eps: "f32",
  momentum: "f32",
} as const;
const GRAD_PARAMS = { rows: "u32", columns: "u32", slices: "u32", step: "u32", block: "u32" } as const;
const WORKGROUP = 64;

/** The running statistics and how they follow the batches. */
export interface RunningStatistics {
  /** `[c]`, updated in place. */
  readonly mean: Tensor;
  /** `[c]`, unbiased, updated in place. */
  readonly variance: Tensor;
  /** Weight of the newest batch. */
  readonly momentum: number;
}

/** Scale and shift, `[c]` each. */
export interface Affine {
  /** Scale. */
  readonly weight: Tensor;
  /** Shift. */
  readonly bias: Tensor;
}

/** One program for channels that are a multiple of 4 (`vec4f`), one for others (`f32`). */
interface Variants {
  readonly vector: Program;
  readonly scalar: Program;
}

function forwardProgram(entryPoint: string): Variants {
  return variants("batchNorm", batch_norm, entryPoint, FORWARD_PARAMS);
}

function gradProgram(entryPoint: string): Variants {
  return variants("batchNormGrad", batch_norm_grad, entryPoint, GRAD_PARAMS);
}

function variants(name: string, code: string, entryPoint: string, params: Program["params"]): Variants {
  const make = (type: string) => ({
    name,
    code: [lib_flat, lib_slices, `alias V = ${type};`, code],
    entryPoint,
    params,
  });
  return { vector: make("vec4f"), scalar: make("f32") };
}

const SLICE_MOMENTS = forwardProgram("slice_moments");
const MERGE_MOMENTS = forwardProgram("merge_moments");
const FINISH = forwardProgram("finish");
const FINISH_RUNNING = forwardProgram("finish_running");
const FROM_RUNNING = forwardProgram("from_running");
const NORMALIZE = forwardProgram("normalize_rows");
const NORMALIZE_RESIDUAL = forwardProgram("normalize_residual");
const REDUCE = gradProgram("reduce_rows");
const REDUCE_OUTPUT = gradProgram("reduce_output");
const MERGE_SUMS = gradProgram("merge_sums");
const GRAD_ROWS = gradProgram("grad_rows");

/** How the rows of `[rows, c]` are shared out; `shaders/lib/slices.wgsl` reads it. */
interface Slices {
  readonly rows: number;
  readonly columns: number;
  readonly slices: number;
  readonly step: number;
  readonly block: number;
}

function columnsOf(channels: number): number {
  return channels % 4 === 0 ? channels / 4 : channels;
}

function pick(program: Variants, channels: number): Program {
  return channels % 4 === 0 ? program.vector : program.scalar;
}

/** Rows a slice: enough slices to fill the device, few enough that merging them stays cheap. */
function slicesOf(x: Tensor, table: SliceTable): Slices {
  const channels = x.shape.at(-1)!;
  const columns = columnsOf(channels);
  const rows = channels === 0 ? 0 : x.size / channels;
  const wanted = Math.ceil(rows * columns / table.invocations);
  const each = Math.max(table.minRows, Math.min(table.maxRows, wanted));
  const step = Math.max(1, Math.floor(WORKGROUP / columns));
  const block = each * step;
  return { rows, columns, slices: Math.ceil(rows / block) * step, step, block };
}

function flatGroups(device: Device, { slices, columns }: Slices): Workgroups {
  return device.groups(slices * columns, WORKGROUP);
}

/**
 * Moments of the slices of x's rows: mean, sum of squared deviations and count per channel, `[slices, 3, c]`. The moments
 * of any number of batches may be concatenated along the first axis.
 */
export function sliceMoments(x: Tensor): Tensor {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].reduce);
  const moments = new Tensor(device, [slices.slices, 3, channels]);
  device.dispatch(pick(SLICE_MOMENTS, channels), {
    params: { ...slices, eps: 0, momentum: 0 },
    buffers: { 1: x.storage, 2: moments.storage },
    workgroups: flatGroups(device, slices),
  });
  return moments;
}

/** Merges moments `[slices, 3, c]` to `[1, 3, c]`: what a rank sends to the others. */
export function mergeMoments(parts: Tensor): Tensor {
  const { device } = parts;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const moments = new Tensor(device, [1, 3, channels]);
  device.dispatch(pick(MERGE_MOMENTS, channels), {
    params: { rows: 0, columns, slices: parts.shape[0]!, step: 1, block: 1, eps: 0, momentum: 0 },
    buffers: { 2: moments.storage, 3: parts.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: BATCH_NORM[device.info.family].lanes },
  });
  return moments;
}

/**
 * Statistics of a batch from its moments `[slices, 3, c]`: mean, 1 / √(biased variance + eps) and count, `[3, c]`; moves
 * the running statistics where given.
 */
export function finishStatistics(parts: Tensor, options: { eps: number; running?: RunningStatistics }): Tensor {
  const { device } = parts;
  const { eps, running } = options;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const stats = new Tensor(device, [3, channels]);
  device.dispatch(pick(running ? FINISH_RUNNING : FINISH, channels), {
    params: {
      rows: 0,
      columns,
      slices: parts.shape[0]!,
      step: 1,
      block: 1,
      eps,
      momentum: running?.momentum ?? 0,
    },
    buffers: { 3: parts.storage, 4: stats.storage, 5: running?.mean.storage, 6: running?.variance.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: BATCH_NORM[device.info.family].lanes },
  });
  return stats;
}

/** Statistics `[3, c]` for evaluation: the running ones. */
export function runningStatistics(mean: Tensor, variance: Tensor, eps: number): Tensor {
  const { device, size: channels } = mean;
  const columns = columnsOf(channels);
  const stats = new Tensor(device, [3, channels]);
  device.dispatch(pick(FROM_RUNNING, channels), {
    params: { rows: 0, columns, slices: 0, step: 1, block: 1, eps, momentum: 0 },
    buffers: { 4: stats.storage, 5: mean.storage, 6: variance.storage },
    workgroups: device.groups(columns, WORKGROUP),
  });
  return stats;
}

/** `(x − mean) · invStd · weight + bias (+ residual)`, then ReLU if asked; the shape of x. */
export function normalize(
  x: Tensor,
  stats: Tensor,
  { weight, bias }: Affine,
  options: { residual?: Tensor; relu: boolean },
): Tensor {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].apply);
  const y = new Tensor(device, x.shape);
  device.dispatch(pick(options.residual ? NORMALIZE_RESIDUAL : NORMALIZE, channels), {
    params: { ...slices, eps: 0, momentum: 0 },
    buffers: {
      1: x.storage,
      7: stats.storage,
      8: weight.storage,
      9: bias.storage,
      10: options.residual?.storage,
      11: y.storage,
    },
    workgroups: flatGroups(device, slices),
    constants: { RELU: options.relu },
  });
  return y;
}

/** What {@linkcode reduceGrads} finds. */
export interface GradSums {
  /** Σ g, `[c]`: the gradient of the shift. */
  readonly gradBias: Tensor;
  /** Σ g·x̂, `[c]`: the gradient of the scale. */
  readonly gradWeight: Tensor;
  /** g where the output was positive and 0 elsewhere; only when an output was given. */
  readonly masked: Tensor | null;
}

/**
 * Both reductions of the gradient in one pass over it. `relu` masks g by the recomputed output; `output` (needed where a
 * residual was added before ReLU) masks it by the output itself.
 */
export function reduceGrads(
  x: Tensor,
  grad: Tensor,
  stats: Tensor,
  { weight, bias }: Affine,
  options: { relu: boolean; output?: Tensor },
): GradSums {
  const { device } = x;
  const { output } = options;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].reduce);
  const parts = new Tensor(device, [slices.slices, 2, channels]);
  const masked = output ? new Tensor(device, x.shape) : null;
  device.dispatch(pick(output ? REDUCE_OUTPUT : REDUCE, channels), {
    params: { ...slices },
    buffers: {
      1: x.storage,
      2: grad.storage,
      3: stats.storage,
      4: output ? undefined : weight.storage,
      5: output ? undefined : bias.storage,
      6: output?.storage,
      7: masked?.storage,
      8: parts.storage,
    },
    workgroups: flatGroups(device, slices),
    constants: output ? {} : { RELU: options.relu },
  });
  return { ...mergeSums(parts, stats), masked };
}

function mergeSums(parts: Tensor, stats: Tensor): { gradBias: Tensor; gradWeight: Tensor } {
  const { device } = parts;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const gradBias = new Tensor(device, [channels]);
  const gradWeight = new Tensor(device, [channels]);
  device.dispatch(pick(MERGE_SUMS, channels), {
    params: { rows: 0, columns, slices: parts.shape[0]!, step: 1, block: 1 },
    buffers: { 3: stats.storage, 9: parts.storage, 10: gradBias.storage, 11: gradWeight.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: BATCH_NORM[device.info.family].lanes },
  });
  return { gradBias, gradWeight };
}

/**
 * The gradient of x from that of the output and the sums over all rows that shared the statistics; `relu` masks by the
 * recomputed output, `training: false` takes the statistics as constants.
 */
export function gradInput(
  x: Tensor,
  grad: Tensor,
  stats: Tensor,
  { weight, bias }: Affine,
  options: { sums: { gradBias: Tensor; gradWeight: Tensor }; relu: boolean; training: boolean },
): Tensor {
  const { device } = x;
  const { sums, relu, training } = options;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].apply);
  const gradX = new Tensor(device, x.shape);
  device.dispatch(pick(GRAD_ROWS, x.shape.at(-1)!), {
    params: { ...slices },
    buffers: {
      1: x.storage,
      2: grad.storage,
      3: stats.storage,
      4: weight.storage,
      5: bias.storage,
      12: sums.gradBias.storage,
      13: sums.gradWeight.storage,
      14: gradX.storage,
    },
    workgroups: flatGroups(device, slices),
    constants: { RELU: relu, TRAINING: training },
  });
  return gradX;
}

/** Rows of a tensor: the product of all sizes but the last. */
export function rowsOf(x: Tensor): number {
  return sizeOf(x.shape.slice(0, -1));
}
