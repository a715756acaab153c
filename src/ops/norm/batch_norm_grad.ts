// The backward passes of batch normalisation, separately callable so that synchronised batch normalisation can sum the two
// reductions over all ranks between them.
import { lib_column_moments, lib_lanes, lib_nan, lib_slices } from "../../shaders/lib.ts";
import { batch_norm_grad as code } from "../../shaders/norm.ts";
import type { BindingsOf, Constants } from "../../device/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { addPair, floatOf } from "../../tensor/internal.ts";
import { type Affine, type Norm, normForm } from "./batch_norm_passes.ts";
import { laneForm } from "../shared/lanes.ts";
import { blocksOf, columnPrograms, columnsOf, pick, sliceGroups, type Slices, slicesOf } from "../shared/slices.ts";
import { policyOf } from "../shared/policy.ts";
import { BATCH_NORM } from "../shared/tables.ts";

/** Gradient of the output that the passes read, and what masks it where ReLU was 0. */
interface Gradient {
  /** WGSL of the masked gradient at `at`, found for the first time; `before` is what was there before ReLU. */
  readonly first: string;
  /** WGSL of the same, found again. */
  readonly again: string;
  /** WGSL of the shift of `column`, where `before` is of use. */
  readonly shift: string;
}

const BY_INPUT = "masked_by_input(V(grad_y[at]), before)";
const GRADIENTS = {
  /** Gradient masked by the input. */
  plain: { first: BY_INPUT, again: BY_INPUT, shift: "bias[column]" },
  /** Gradient masked by the output, in a place of its own. */
  output: { first: "masked_by_output(at, V(grad_y[at]))", again: "V(masked[at])", shift: "V(0.0)" },
  /** Gradient masked by the output, over the gradient itself. */
  outputInPlace: { first: "masked_by_output(at, V(masked[at]))", again: "V(masked[at])", shift: "V(0.0)" },
  /** Sum of two gradients, masked by the output. */
  outputTwo: { first: "masked_by_output(at, V(masked[at]) + V(grad_y[at]))", again: "V(masked[at])", shift: "V(0.0)" },
} as const satisfies Record<string, Gradient>;

type GradientName = keyof typeof GRADIENTS;

/** An entry point, where `x` is a binding of its own or what the gradient of x takes the place of. */
function program(entryPoint: string, gradient: GradientName, x: "x" | "grad_x" = "x") {
  const { first, again, shift } = GRADIENTS[gradient];
  const operands = `fn value(at: u32) -> V { return V(${x}[at]); }
fn gradient(at: u32, before: V) -> V { return ${first}; }
fn gradient_again(at: u32, before: V) -> V { return ${again}; }
fn shift_of(column: u32) -> V { return ${shift}; }`;
  const parts = ["alias F = V;", lib_nan, lib_slices, lib_column_moments, lib_lanes, code, operands] as const;
  return columnPrograms("batchNormGrad", parts, entryPoint, normForm(entryPoint));
}

const REDUCE = {
  plain: program("reduce", "plain"),
  output: program("reduce", "output"),
  outputInPlace: program("reduce", "outputInPlace"),
  outputTwo: program("reduce", "outputTwo"),
};
const MERGE_SUMS = program("merge_sums", "plain");
const GRAD_ROWS = program("grad_rows", "plain");
const GRAD_ROWS_IN_PLACE = program("grad_rows_affine", "plain", "grad_x");
const GRAD_COLUMNS = {
  plain: program("grad_columns", "plain", "grad_x"),
  outputInPlace: program("grad_columns", "outputInPlace", "grad_x"),
  outputTwo: program("grad_columns", "outputTwo", "grad_x"),
};

/** Operands that the backward passes share: the input, its normalisation and the gradient of the output. */
export interface NormOperands {
  /** Input that was normalised, `[…, c]`. */
  readonly x: Tensor;
  /** Statistics and parameters of the normalisation. */
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

/** Options of {@linkcode reduceGrads}. */
export interface NormSumOptions {
  /** Mask g by the recomputed output. */
  readonly relu: boolean;
  /** Mask g by the output itself: needed where a residual was added before ReLU. */
  readonly output?: Tensor;
  /** Write the masked g over the gradient. */
  readonly inPlace: boolean;
  /** Second gradient to add first, where there is an output. */
  readonly other?: Tensor | null;
}

/**
 * Computes both reductions of the gradient in one pass over it: Σ g and Σ g·(x − mean) of parts of the rows, `[parts,
 * 2, c]`; and g where an output masked it.
 */
export function reduceGrads(operands: NormOperands, options: NormSumOptions): { sums: Tensor; masked: Tensor | null } {
  const { x, norm } = operands;
  const { device } = x;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).reduce);
  const sums = new Tensor(device, [blocksOf(slices), 2, channels]);
  const { gradient, buffers, constants, masked } = gradientOf(operands, options);
  device.dispatch(pick(REDUCE[gradient], channels, dtype), {
    params: { ...slices, slices: norm.moments.shape[0]!, parts: 0, eps: norm.eps },
    buffers: { ...buffers, 1: x.storage, 8: sums.storage },
    workgroups: sliceGroups(device, slices),
    constants,
  });
  return { sums, masked };
}

/** Chooses the gradient that the passes read, their bindings, and where g goes. */
function gradientOf(
  { x, norm, affine, grad }: NormOperands,
  { output, relu, inPlace, other }: NormSumOptions,
): { gradient: GradientName; buffers: BindingsOf<typeof code.access>; constants: Constants; masked: Tensor | null } {
  const shared = { 3: norm.moments.storage, 4: affine.weight.storage };
  if (!output) {
    const buffers = { ...shared, 2: grad.storage, 5: affine.bias.storage };
    return { gradient: "plain", buffers, constants: { RELU: relu }, masked: null };
  }
  const two = inPlace && other;
  const masked = inPlace
    ? grad.alias()
    : other
    ? addPair(grad, other)
    : new Tensor(x.device, x.shape, { dtype: floatOf(x) });
  const gradient = two ? "outputTwo" : inPlace || other ? "outputInPlace" : "output";
  const read = two ? other : gradient === "output" ? grad : undefined;
  const buffers = { ...shared, 2: read?.storage, 6: output.storage, 7: masked.storage };
  return { gradient, buffers, constants: {}, masked };
}

/** Merges sums `[parts, 2, c]` to `[1, 2, c]`, and turns them into the gradients of scale and shift. */
export function mergeSums(sums: Tensor, { moments, eps }: Norm): AffineGrads & { merged: Tensor } {
  const { device } = sums;
  const [parts, , channels] = sums.shape as [number, number, number];
  const columns = columnsOf(channels);
  const merged = new Tensor(device, [1, 2, channels]);
  const gradBias = new Tensor(device, [channels]);
  const gradWeight = new Tensor(device, [channels]);
  const { lanes } = policyOf(device).of(BATCH_NORM);
  device.dispatch(laneForm(device, pick(MERGE_SUMS, channels), lanes), {
    params: { rows: 0, columns, slices: moments.shape[0]!, parts, step: 1, span: 1, block: 1, eps },
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

/** Options of {@linkcode gradInput} and {@linkcode gradients}. */
export interface GradOptions {
  /** Sums from {@linkcode reduceGrads}, over all rows that shared the statistics. */
  readonly sums: Tensor;
  /** Mask by the recomputed output. */
  readonly relu: boolean;
  /** Whether the statistics depend on x; false takes them as constants. */
  readonly training: boolean;
  /** Write the gradient over x. */
  readonly inPlace: boolean;
}

/** The gradients of x, scale and shift. Few sums are merged on the way, where the gradient of x takes the place of x. */
export function gradients(operands: NormOperands, options: GradOptions): AffineGrads & { gradX: Tensor } {
  const { sums, inPlace } = options;
  if (inPlace && sums.shape[0]! <= policyOf(sums.device).of(BATCH_NORM).few) {
    const { gradX, gradBias, gradWeight } = gradInput(operands, options);
    return { gradX, gradBias: gradBias!, gradWeight: gradWeight! };
  }
  const { merged, gradBias, gradWeight } = mergeSums(sums, operands.norm);
  return { ...gradInput(operands, { ...options, sums: merged }), gradBias, gradWeight };
}

/** The gradient of x from few sums; in place, what these are of scale and shift too. */
export function gradInput(
  { x, norm, affine, grad }: NormOperands,
  { sums, relu, training, inPlace }: GradOptions,
): { gradX: Tensor } & Partial<AffineGrads> {
  const { device } = x;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).apply);
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

/**
 * Computes all gradients in one dispatch by workgroups that have whole columns: that of x over x, and g over the
 * gradient where an output masks it, which must be `inPlace`.
 */
export function gradColumns(
  operands: NormOperands,
  columns: Slices,
  options: NormSumOptions & { readonly training: boolean },
): AffineGrads & { gradX: Tensor; masked: Tensor | null } {
  const { x, norm } = operands;
  const { device } = x;
  const [channels, dtype] = [x.shape.at(-1)!, floatOf(x)];
  const { gradient, buffers, constants, masked } = gradientOf(operands, options);
  const [gradX, gradBias, gradWeight] = [x.alias(), new Tensor(device, [channels]), new Tensor(device, [channels])];
  device.dispatch(pick(GRAD_COLUMNS[gradient as keyof typeof GRAD_COLUMNS], channels, dtype), {
    params: { ...columns, slices: norm.moments.shape[0]!, parts: 0, eps: norm.eps },
    buffers: { ...buffers, 10: gradBias.storage, 11: gradWeight.storage, 12: gradX.storage },
    workgroups: sliceGroups(device, columns),
    constants: { ...constants, TRAINING: options.training },
  });
  return { gradX, gradBias, gradWeight, masked };
}
