// The forward passes of batch normalisation, separately callable so that synchronised batch normalisation can gather the
// moments of all ranks between them.
import { batch_norm as code, lib_lanes, lib_nan, lib_slices } from "../device/shaders.gen.ts";
import { castTo, floatOf, Tensor } from "../tensor/mod.ts";
import { laneForm } from "./_lanes.ts";
import { type ColumnPrograms, columnPrograms, columnsOf, flatGroups, pick, slicesOf } from "./_slices.ts";
import { BATCH_NORM } from "./_variants.ts";

const params = {
  rows: "u32",
  columns: "u32",
  slices: "u32",
  step: "u32",
  block: "u32",
  eps: "f32",
  momentum: "f32",
} as const;

function program(entryPoint: string): ColumnPrograms {
  return columnPrograms("batchNorm", ["alias F = V;", lib_nan, lib_slices, lib_lanes, code], entryPoint, params);
}

const SLICE_MOMENTS = program("slice_moments");
const MERGE_SLICES = program("merge_slices");
const MERGE_MOMENTS = program("merge_moments");
const FINISH = program("finish");
const FINISH_RUNNING = program("finish_running");
const FROM_RUNNING = program("from_running");
const NORMALIZE = program("normalize_rows");
const NORMALIZE_RESIDUAL = program("normalize_residual");

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

/** x, weight, bias and residual as the passes want them: the residual with the dtype of x. */
export function oneDType([x, weight, bias, residual]: readonly Tensor[]): [Tensor, Tensor, Tensor, Tensor?] {
  const added = residual && residual.dtype !== x!.dtype ? castTo(residual, floatOf(x!)) : residual;
  return [x!, weight!, bias!, added];
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
  device.dispatch(pick(SLICE_MOMENTS, channels, floatOf(x)), {
    params: { ...slices, eps: 0, momentum: 0 },
    buffers: { 1: x.storage, 2: moments.storage },
    workgroups: flatGroups(device, slices),
  });
  return moments;
}

/** Merges slices that are too many for one invocation (or workgroup) to merge; the same moments where they are few. */
function fewerSlices(parts: Tensor): Tensor {
  const { device } = parts;
  const [slices, , channels] = parts.shape as [number, number, number];
  const { lanes, mergeDepth: block } = BATCH_NORM[device.info.family];
  if (slices <= lanes * block) return parts;
  const columns = columnsOf(channels);
  const chunks = Math.ceil(slices / block);
  const moments = new Tensor(device, [chunks, 3, channels]);
  device.dispatch(pick(MERGE_SLICES, channels), {
    params: { rows: 0, columns, slices, step: 1, block, eps: 0, momentum: 0 },
    buffers: { 2: moments.storage, 3: parts.storage },
    workgroups: device.groups(chunks * columns, 64),
  });
  return fewerSlices(moments);
}

/** Merges moments `[slices, 3, c]` to `[1, 3, c]`: what a rank sends to the others. */
export function mergeMoments(moments: Tensor): Tensor {
  return mergeParts(fewerSlices(moments));
}

function mergeParts(parts: Tensor): Tensor {
  const { device } = parts;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const moments = new Tensor(device, [1, 3, channels]);
  const { lanes } = BATCH_NORM[device.info.family];
  device.dispatch(laneForm(device, pick(MERGE_MOMENTS, channels), lanes), {
    params: { rows: 0, columns, slices: parts.shape[0]!, step: 1, block: 1, eps: 0, momentum: 0 },
    buffers: { 2: moments.storage, 3: parts.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
  return moments;
}

/**
 * Statistics of a batch from its moments `[slices, 3, c]`: mean, 1 / √(biased variance + eps) and count, `[3, c]`; moves
 * the running statistics where given.
 */
export function finishStatistics(moments: Tensor, options: { eps: number; running?: RunningStatistics }): Tensor {
  const { device } = moments;
  const parts = fewerSlices(moments);
  const { eps, running } = options;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const stats = new Tensor(device, [3, channels]);
  const { lanes } = BATCH_NORM[device.info.family];
  device.dispatch(laneForm(device, pick(running ? FINISH_RUNNING : FINISH, channels), lanes), {
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
    constants: { LANES: lanes },
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
    workgroups: device.groups(columns, 64),
  });
  return stats;
}

/** `(x − mean) · invStd · weight + bias (+ residual)`, then ReLU if asked; shape and dtype of x, which residual shares. */
export function normalize(
  x: Tensor,
  stats: Tensor,
  { weight, bias }: Affine,
  options: { residual?: Tensor; relu: boolean },
): Tensor {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].apply);
  const y = new Tensor(device, x.shape, { dtype: floatOf(x) });
  device.dispatch(pick(options.residual ? NORMALIZE_RESIDUAL : NORMALIZE, channels, floatOf(x)), {
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
