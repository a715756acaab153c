// The forward passes of batch normalisation, separately callable so that synchronised batch normalisation can gather the
// moments of all ranks between them. Moments of slices are merged by the pairwise formula of Chan et al. (parallel
// Welford).
import type { OpContext } from "../../autograd/mod.ts";
import { lib_column_moments, lib_lanes, lib_nan, lib_slices } from "../../shaders/lib.ts";
import { batch_norm as code } from "../../shaders/norm.ts";
import type { BindingsOf, Device } from "../../device/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { castTo, floatOf } from "../../tensor/internal.ts";
import { laneForm } from "../shared/lanes.ts";
import { blocksOf, columnPrograms, columnsOf, pick, sliceGroups, type Slices, slicesOf } from "../shared/slices.ts";
import { policyOf } from "../shared/policy.ts";
import { BATCH_NORM, READ_NORMALIZED, REMAKE_NORMALIZED } from "../shared/tables.ts";

/** WGSL of a normalised value, which a residual may be added to. */
const ADDED = { plain: "value", residual: "value + V(residual[at])" } as const;

function program(entryPoint: string, added: keyof typeof ADDED = "plain") {
  const residual = `fn added(at: u32, value: V) -> V { return ${ADDED[added]}; }`;
  const parts = ["alias F = V;", lib_nan, lib_slices, lib_column_moments, lib_lanes, code, residual] as const;
  return columnPrograms("batchNorm", parts, entryPoint, normForm(entryPoint));
}

/** The form that an entry point is of. */
export function normForm(entryPoint: string): string {
  return `batchNorm:${entryPoint.includes("columns") ? "columns" : "slices"}`;
}

/** An entry point without and with a residual. */
function programs(entryPoint: string) {
  return { plain: program(entryPoint), residual: program(entryPoint, "residual") };
}

const SLICE_MOMENTS = program("slice_moments");
const MERGE_SLICES = program("merge_slices");
const MERGE_MOMENTS = program("merge_moments");
const MERGE_TO_READ = program("merge_to_read");
const MERGE_TO_ADD = program("merge_to_add");
const FROM_RUNNING = program("from_running");
const NORMALIZE = programs("normalize_rows");
const NORMALIZE_RUNNING = programs("normalize_rows_running");
const NORMALIZE_COLUMNS = programs("normalize_columns");

/** The running statistics and how they follow the batches. */
export interface RunningStatistics {
  /** Running mean `[c]`, updated in place. */
  readonly mean: Tensor;
  /** Running variance `[c]`, unbiased, updated in place. */
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

/** Normalisation of values: moments, scale and shift. */
export interface Norm {
  /** Moments `[slices, 3, c]`, of few slices, for Chan's merge: mean, sum of squared deviations and count of each. */
  readonly moments: Tensor;
  /** Term added to the variance. */
  readonly eps: number;
}

/** x, weight, bias and residual as the passes want them: the residual with the dtype of x. */
export function oneDType([x, weight, bias, residual]: readonly Tensor[]): [Tensor, Tensor, Tensor, Tensor?] {
  const added = residual && residual.dtype !== x!.dtype ? castTo(residual, floatOf(x!)) : residual;
  return [x!, weight!, bias!, added];
}

/**
 * Forms of normalised values on their way to a convolution: it normalises what it reads, so that they are never stored;
 * or they are stored, and made again in its backward or kept for it.
 */
const NORMALIZED = ["read", "remade", "kept"] as const;

/** Whether convolutions normalise what they read, where the shape suits. */
export function isRead(device: Device): boolean {
  const policy = policyOf(device);
  return policy.choose("normalized", NORMALIZED, policy.of(READ_NORMALIZED) ? "read" : "remade") === "read";
}

/** Whether what uses the normalised values makes them again in its backward. A residual is not kept for that. */
export function isRemade(x: Tensor, residual?: Tensor): boolean {
  const policy = policyOf(x.device);
  const usual = x.bytes >= policy.of(REMAKE_NORMALIZED) ? "remade" : "kept";
  const form = policy.choose("normalized", NORMALIZED, usual);
  return !residual && (form === "read" ? usual : form) === "remade";
}

/**
 * Moments of the slices of x's rows: mean, sum of squared deviations and count per channel, `[slices, 3, c]`. The moments
 * of any number of batches may be concatenated along the first axis.
 */
export function sliceMoments(x: Tensor): Tensor {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).reduce);
  const moments = new Tensor(device, [blocksOf(slices), 3, channels]);
  device.dispatch(pick(SLICE_MOMENTS, channels, floatOf(x)), {
    params: { ...slices, slices: 0, eps: 0, momentum: 0 },
    buffers: { 1: x.storage, 2: moments.storage },
    workgroups: sliceGroups(device, slices),
  });
  return moments;
}

/** Merges moments into so few slices that every invocation can merge them itself. */
export function fewMoments(moments: Tensor): Tensor {
  return moments.shape[0]! <= policyOf(moments.device).of(BATCH_NORM).few ? moments : mergeMoments(moments);
}

/** Merges moments `[slices, 3, c]` to `[1, 3, c]`: what a rank sends to the others. */
export function mergeMoments(moments: Tensor): Tensor {
  const { device } = moments;
  const parts = mergeChunks(moments);
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const merged = new Tensor(device, [1, 3, channels]);
  const { lanes } = policyOf(device).of(BATCH_NORM);
  device.dispatch(laneForm(device, pick(MERGE_MOMENTS, channels), lanes), {
    params: { rows: 0, columns, slices: parts.shape[0]!, step: 1, span: 1, block: 1, eps: 0, momentum: 0 },
    buffers: { 2: merged.storage, 3: parts.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
  return merged;
}

/** Normalisation in training of what a product or a sum reads. */
export interface TrainingNorm extends Affine {
  /** Running statistics, which move. */
  readonly running: RunningStatistics;
  /** Term added to the variance. */
  readonly eps: number;
  /** Moments of x that the op before left, `[slices, 3, c]`; null where it left none. */
  readonly moments: Tensor | null;
}

/**
 * Makes what a product needs to normalise x as it reads it, `[c / 4, 2, 4]`: scales and shifts; and the moments,
 * `[1, 3, c]`. Moves the running statistics; c must be a multiple of 4.
 */
export function normToRead(x: Tensor, norm: TrainingNorm): { moments: Tensor; reading: Tensor } {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const moments = new Tensor(device, [1, 3, channels]);
  const reading = new Tensor(device, [columnsOf(channels), 2, 4]);
  mergeTraining(MERGE_TO_READ, x, norm, { 2: moments.storage, 10: reading.storage });
  return { moments, reading };
}

/**
 * Makes what x needs to be normalised as it is added to another, `4 c` numbers: scales, shifts, means and inverse
 * deviations, by vectors of channels. Moves the running statistics.
 */
export function normToAdd(x: Tensor, norm: TrainingNorm): Tensor {
  const reading = new Tensor(x.device, [4 * x.shape.at(-1)!]);
  mergeTraining(MERGE_TO_ADD, x, norm, { 10: reading.storage });
  return reading;
}

function mergeTraining(
  programs: typeof MERGE_TO_READ,
  x: Tensor,
  { weight, bias, running, eps, moments }: TrainingNorm,
  results: BindingsOf<typeof code.access>,
): void {
  const { device } = x;
  const parts = mergeChunks(moments ?? sliceMoments(x));
  const [slices, , channels] = parts.shape as [number, number, number];
  const columns = columnsOf(channels);
  const { lanes } = policyOf(device).of(BATCH_NORM);
  device.dispatch(laneForm(device, pick(programs, channels), lanes), {
    params: { rows: 0, columns, slices, step: 1, span: 1, block: 1, eps, momentum: running.momentum },
    buffers: {
      ...results,
      3: parts.storage,
      4: running.mean.storage,
      5: running.variance.storage,
      6: weight.storage,
      7: bias.storage,
    },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
}

/** Merges slices that are too many for one invocation (or workgroup) to merge; the same moments where they are few. */
function mergeChunks(parts: Tensor): Tensor {
  const { device } = parts;
  const [slices, , channels] = parts.shape as [number, number, number];
  const { lanes, mergeDepth: block } = policyOf(device).of(BATCH_NORM);
  if (slices <= lanes * block) return parts;
  const columns = columnsOf(channels);
  const chunks = Math.ceil(slices / block);
  const moments = new Tensor(device, [chunks, 3, channels]);
  device.dispatch(pick(MERGE_SLICES, channels), {
    params: { rows: 0, columns, slices, step: 1, span: 1, block, eps: 0, momentum: 0 },
    buffers: { 2: moments.storage, 3: parts.storage },
    workgroups: device.groups(chunks * columns, 64),
  });
  return mergeChunks(moments);
}

/** Moments for evaluation, `[1, 3, c]`: the running statistics. */
export function runningMoments(mean: Tensor, variance: Tensor): Tensor {
  const { device, size: channels } = mean;
  const columns = columnsOf(channels);
  const moments = new Tensor(device, [1, 3, channels]);
  device.dispatch(pick(FROM_RUNNING, channels), {
    params: { rows: 0, columns, slices: 0, step: 1, span: 1, block: 1, eps: 0, momentum: 0 },
    buffers: { 2: moments.storage, 4: mean.storage, 5: variance.storage },
    workgroups: device.groups(columns, 64),
  });
  return moments;
}

/**
 * Computes `(x − mean) / √(variance + eps) · weight + bias (+ residual)`, then ReLU if asked; shape and dtype of x,
 * which residual shares. Moves the running statistics where given.
 */
export function normalize(
  x: Tensor,
  { moments, eps }: Norm,
  { weight, bias }: Affine,
  options: { residual?: Tensor; relu: boolean; running?: RunningStatistics },
): Tensor {
  const { device } = x;
  const { residual, relu, running } = options;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).apply);
  const y = new Tensor(device, x.shape, { dtype: floatOf(x) });
  const program = (running ? NORMALIZE_RUNNING : NORMALIZE)[residual ? "residual" : "plain"];
  device.dispatch(pick(program, channels, floatOf(x)), {
    params: { ...slices, slices: moments.shape[0]!, eps, momentum: running?.momentum ?? 0 },
    buffers: {
      1: x.storage,
      3: moments.storage,
      4: running?.mean.storage,
      5: running?.variance.storage,
      6: weight.storage,
      7: bias.storage,
      8: residual?.storage,
      9: y.storage,
    },
    workgroups: sliceGroups(device, slices),
    constants: { RELU: relu },
  });
  return y;
}

/** Computes {@linkcode normalize} in training by workgroups that have whole columns, which find the moments too. */
export function normalizeColumns(
  x: Tensor,
  columns: Slices,
  { weight, bias }: Affine,
  options: { residual?: Tensor; relu: boolean; running: RunningStatistics; eps: number },
): { y: Tensor; moments: Tensor } {
  const { device } = x;
  const { residual, relu, running, eps } = options;
  const channels = x.shape.at(-1)!;
  const y = new Tensor(device, x.shape, { dtype: floatOf(x) });
  const moments = new Tensor(device, [1, 3, channels]);
  device.dispatch(pick(NORMALIZE_COLUMNS[residual ? "residual" : "plain"], channels, floatOf(x)), {
    params: { ...columns, slices: 1, eps, momentum: running.momentum },
    buffers: {
      1: x.storage,
      2: moments.storage,
      4: running.mean.storage,
      5: running.variance.storage,
      6: weight.storage,
      7: bias.storage,
      8: residual?.storage,
      9: y.storage,
    },
    workgroups: sliceGroups(device, columns),
    constants: { RELU: relu },
  });
  return { y, moments };
}

/** Part of an op's definition that makes the normalised values again from what its forward saved: x, scale, shift, moments. */
export const REMAKES = {
  remakes: ({ remake }: { readonly remake: boolean }): boolean => remake,
  remake({ saved }: OpContext, { relu, eps }: { readonly relu: boolean; readonly eps: number }): Tensor {
    const [x, weight, bias, moments] = saved as [Tensor, Tensor, Tensor, Tensor];
    return normalize(x, { moments, eps }, { weight, bias }, { relu });
  },
} as const;
