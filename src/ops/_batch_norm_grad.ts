// The backward passes of batch normalisation, separately callable so that synchronised batch normalisation can sum the two
// reductions over all ranks between them.
import { batch_norm_grad as code, lib_column_moments, lib_lanes, lib_nan, lib_slices } from "../device/shaders.gen.ts";
import { floatOf, sumOf, Tensor } from "../tensor/mod.ts";
import type { Affine, Norm } from "./_batch_norm.ts";
import { laneForm } from "./_lanes.ts";
import { blocksOf, type ColumnPrograms, columnPrograms, columnsOf, pick, sliceGroups, slicesOf } from "./_slices.ts";
import { BATCH_NORM } from "./_variants.ts";

const params = {
  rows: "u32",
  columns: "u32",
  slices: "u32",
  parts: "u32",
  step: "u32",
  block: "u32",
  eps: "f32",
} as const;

function program(entryPoint: string): ColumnPrograms {
  const parts = ["alias F = V;", lib_nan, lib_slices, lib_column_moments, lib_lanes, code];
  return columnPrograms("batchNormGrad", parts, entryPoint, params);
}

const REDUCE = program("reduce_rows");
const REDUCE_OUTPUT = program("reduce_output");
const REDUCE_OUTPUT_IN_PLACE = program("reduce_output_in_place");
const REDUCE_OUTPUT_TWO = program("reduce_output_two");
const MERGE_SUMS = program("merge_sums");
const GRAD_ROWS = program("grad_rows");
const GRAD_ROWS_IN_PLACE = program("grad_rows_in_place");

/** What the backward passes share: the input, its normalisation and the gradient of the output. */
export interface Operands {
  /** What was normalised, `[…, c]`. */
  readonly x: Tensor;
  /** By what. */
  readonly norm: Norm;
  /** Scale and shift. */
  readonly affine: Affine;
  /** Gradient of the output. */
  readonly grad: Tensor;
}

/** Gradients of shift and scale, `[c]` each. */
export interface AffineGrads {
  /** Σ g. */
  readonly gradBias: Tensor;
  /** Σ g·x̂. */
  readonly gradWeight: Tensor;
}

/** How {@linkcode reduceGrads} works. */
export interface ReduceOptions {
  /** Mask g by the recomputed output. */
  readonly relu: boolean;
  /** Mask g by the output itself: needed where a residual was added before ReLU. */
  readonly output?: Tensor;
  /** Write the masked g over the gradient. */
  readonly inPlace: boolean;
  /** Where there is an output: a gradient to add first. */
  readonly other?: Tensor | null;
}

/**
 * Both reductions of the gradient in one pass over it: Σ g and Σ g·(x − mean) of parts of the rows, `[parts, 2, c]`; and g
 * where an output masked it.
 */
export function reduceGrads(operands: Operands, options: ReduceOptions): { sums: Tensor; masked: Tensor | null } {
  const { x, norm, affine } = operands;
  const { output, relu } = options;
  const { device } = x;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const slices = slicesOf(x, BATCH_NORM[device.info.family].reduce);
  const sums = new Tensor(device, [blocksOf(slices), 2, channels]);
  const { program, grad, masked } = output
    ? maskedGrad(operands, options)
    : { ...operands, program: REDUCE, masked: null };
  device.dispatch(pick(program, channels, dtype), {
    params: { ...slices, slices: norm.moments.shape[0]!, parts: 0, eps: norm.eps },
    buffers: {
      1: x.storage,
      2: grad?.storage,
      3: norm.moments.storage,
      4: output ? undefined : affine.weight.storage,
      5: output ? undefined : affine.bias.storage,
      6: output?.storage,
      7: masked?.storage,
      8: sums.storage,
    },
    workgroups: sliceGroups(device, slices),
    constants: { RELU: relu && !output },
  });
  return { sums, masked };
}

/** Where the masked gradient goes, what is read beside it, and the program that does so. */
function maskedGrad(
  { x, grad }: Operands,
  { inPlace, other }: ReduceOptions,
): { program: ColumnPrograms; grad: Tensor | undefined; masked: Tensor } {
  if (inPlace) {
    return {
      program: other ? REDUCE_OUTPUT_TWO : REDUCE_OUTPUT_IN_PLACE,
      grad: other ?? undefined,
      masked: grad.alias(),
    };
  }
  if (other) return { program: REDUCE_OUTPUT_IN_PLACE, grad: undefined, masked: sumOf(grad, other) };
  return { program: REDUCE_OUTPUT, grad, masked: new Tensor(x.device, x.shape, { dtype: floatOf(x) }) };
}

/** Merges sums `[parts, 2, c]` to `[1, 2, c]`, and what they are of scale and shift. */
export function mergeSums(sums: Tensor, { moments, eps }: Norm): AffineGrads & { merged: Tensor } {
  const { device } = sums;
  const [parts, , channels] = sums.shape as [number, number, number];
  const columns = columnsOf(channels);
  const merged = new Tensor(device, [1, 2, channels]);
  const gradBias = new Tensor(device, [channels]);
  const gradWeight = new Tensor(device, [channels]);
  const { lanes } = BATCH_NORM[device.info.family];
  device.dispatch(laneForm(device, pick(MERGE_SUMS, channels), lanes), {
    params: { rows: 0, columns, slices: moments.shape[0]!, parts, step: 1, block: 1, eps },
    buffers: {
      3: moments.storage,
      8: merged.storage,
      9: sums.storage,
      10: gradBias.storage,
      11: gradWeight.storage,
    },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
  return { merged, gradBias, gradWeight };
}

/** How {@linkcode gradInput} and {@linkcode gradients} work. */
export interface GradOptions {
  /** Of {@linkcode reduceGrads}, over all rows that shared the statistics. */
  readonly sums: Tensor;
  /** Mask by the recomputed output. */
  readonly relu: boolean;
  /** False takes the statistics as constants. */
  readonly training: boolean;
  /** Write the gradient over x. */
  readonly inPlace: boolean;
}

/** The gradients of x, scale and shift. Few sums are merged on the way, where the gradient of x takes the place of x. */
export function gradients(operands: Operands, options: GradOptions): AffineGrads & { gradX: Tensor } {
  const { sums, inPlace } = options;
  if (inPlace && sums.shape[0]! <= BATCH_NORM[sums.device.info.family].few) {
    const { gradX, gradBias, gradWeight } = gradInput(operands, options);
    return { gradX, gradBias: gradBias!, gradWeight: gradWeight! };
  }
  const { merged, gradBias, gradWeight } = mergeSums(sums, operands.norm);
  return { ...gradInput(operands, { ...options, sums: merged }), gradBias, gradWeight };
}

/** The gradient of x from few sums; in place, what these are of scale and shift too. */
export function gradInput(
  { x, norm, affine, grad }: Operands,
  { sums, relu, training, inPlace }: GradOptions,
): { gradX: Tensor } & Partial<AffineGrads> {
  const { device } = x;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const slices = slicesOf(x, BATCH_NORM[device.info.family].apply);
  const gradX = inPlace ? x.alias() : new Tensor(device, x.shape, { dtype });
  const [gradBias, gradWeight] = inPlace ? [new Tensor(device, [channels]), new Tensor(device, [channels])] : [];
  device.dispatch(pick(inPlace ? GRAD_ROWS_IN_PLACE : GRAD_ROWS, channels, dtype), {
    params: { ...slices, slices: norm.moments.shape[0]!, parts: sums.shape[0]!, eps: norm.eps },
    buffers: {
      1: inPlace ? undefined : x.storage,
      2: grad.storage,
      3: norm.moments.storage,
      4: affine.weight.storage,
      5: affine.bias.storage,
      9: sums.storage,
      10: gradBias?.storage,
      11: gradWeight?.storage,
      12: gradX.storage,
    },
    workgroups: sliceGroups(device, slices),
    constants: { RELU: relu, TRAINING: training },
  });
  return { gradX, gradBias, gradWeight };
}
