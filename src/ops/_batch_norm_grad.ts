// The backward passes of batch normalisation, separately callable so that synchronised batch normalisation can sum the two
// reductions over all ranks between them.
import { batch_norm_grad as code, lib_lanes, lib_nan, lib_slices } from "../device/shaders.gen.ts";
import { floatOf, Tensor } from "../tensor/mod.ts";
import type { Affine } from "./_batch_norm.ts";
import { laneForm } from "./_lanes.ts";
import { type ColumnPrograms, columnPrograms, columnsOf, flatGroups, pick, type Slices, slicesOf } from "./_slices.ts";
import { BATCH_NORM } from "./_variants.ts";

const params = { rows: "u32", columns: "u32", slices: "u32", step: "u32", block: "u32" } as const;

function program(entryPoint: string): ColumnPrograms {
  return columnPrograms("batchNormGrad", ["alias F = V;", lib_nan, lib_slices, lib_lanes, code], entryPoint, params);
}

const REDUCE = program("reduce_rows");
const REDUCE_OUTPUT = program("reduce_output");
const REDUCE_OUTPUT_IN_PLACE = program("reduce_output_in_place");
const MERGE_SUMS = program("merge_sums");
const GRAD_ROWS = program("grad_rows");
const GRAD_ROWS_IN_PLACE = program("grad_rows_in_place");

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
 * residual was added before ReLU) masks it by the output itself, over the gradient with `inPlace`.
 */
export function reduceGrads(
  x: Tensor,
  grad: Tensor,
  stats: Tensor,
  affine: Affine,
  options: { relu: boolean; output?: Tensor; inPlace: boolean },
): GradSums {
  const { output, relu, inPlace } = options;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const slices = slicesOf(x, BATCH_NORM[x.device.info.family].reduce);
  const parts = new Tensor(x.device, [slices.slices, 2, channels]);
  if (output) {
    const masked = maskedSums({ x, grad, stats, output, parts }, slices, inPlace);
    return { ...mergeSums(parts, stats), masked };
  }
  const { weight, bias } = affine;
  x.device.dispatch(pick(REDUCE, channels, dtype), {
    params: { ...slices },
    buffers: { 1: x.storage, 2: grad.storage, 3: stats.storage, 4: weight.storage, 5: bias.storage, 8: parts.storage },
    workgroups: flatGroups(x.device, slices),
    constants: { RELU: relu },
  });
  return { ...mergeSums(parts, stats), masked: null };
}

function maskedSums(
  { x, grad, stats, output, parts }: Record<"x" | "grad" | "stats" | "output" | "parts", Tensor>,
  slices: Slices,
  inPlace: boolean,
): Tensor {
  const dtype = floatOf(x);
  const masked = inPlace ? grad.alias() : new Tensor(x.device, x.shape, { dtype });
  x.device.dispatch(pick(inPlace ? REDUCE_OUTPUT_IN_PLACE : REDUCE_OUTPUT, x.shape.at(-1)!, dtype), {
    params: { ...slices },
    buffers: {
      1: x.storage,
      2: inPlace ? undefined : grad.storage,
      3: stats.storage,
      6: output.storage,
      7: masked.storage,
      8: parts.storage,
    },
    workgroups: flatGroups(x.device, slices),
  });
  return masked;
}

function mergeSums(parts: Tensor, stats: Tensor): { gradBias: Tensor; gradWeight: Tensor } {
  const { device } = parts;
  const channels = parts.shape[2]!;
  const columns = columnsOf(channels);
  const gradBias = new Tensor(device, [channels]);
  const gradWeight = new Tensor(device, [channels]);
  const { lanes } = BATCH_NORM[device.info.family];
  device.dispatch(laneForm(device, pick(MERGE_SUMS, channels), lanes), {
    params: { rows: 0, columns, slices: parts.shape[0]!, step: 1, block: 1 },
    buffers: { 3: stats.storage, 9: parts.storage, 10: gradBias.storage, 11: gradWeight.storage },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
  return { gradBias, gradWeight };
}

/**
 * The gradient of x from that of the output and the sums over all rows that shared the statistics; `relu` masks by the
 * recomputed output, `training: false` takes the statistics as constants, `inPlace` writes it over x.
 */
export function gradInput(
  x: Tensor,
  grad: Tensor,
  stats: Tensor,
  { weight, bias }: Affine,
  options: {
    sums: { gradBias: Tensor; gradWeight: Tensor };
    relu: boolean;
    training: boolean;
    inPlace: boolean;
  },
): Tensor {
  const { device } = x;
  const { sums, relu, training, inPlace } = options;
  const slices = slicesOf(x, BATCH_NORM[device.info.family].apply);
  const dtype = floatOf(x);
  const gradX = inPlace ? x.alias() : new Tensor(device, x.shape, { dtype });
  device.dispatch(pick(inPlace ? GRAD_ROWS_IN_PLACE : GRAD_ROWS, x.shape.at(-1)!, dtype), {
    params: { ...slices },
    buffers: {
      1: inPlace ? undefined : x.storage,
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
