import { defineOp, type OpContext } from "../../autograd/mod.ts";
import { sameShape, type Shape, type Tensor } from "../../tensor/mod.ts";
import {
  type Affine,
  fewMoments,
  isRemade,
  normalize,
  normalizeColumns,
  oneDType,
  REMAKES,
  runningMoments,
  type RunningStatistics,
  sliceMoments,
} from "./batch_norm_passes.ts";
import { type AffineGrads, gradColumns, gradients, mergeSums, reduceGrads } from "./batch_norm_grad.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { GradientSums } from "../product/gradient_sums.ts";
import { checkFloat } from "../shared/check.ts";
import { rowsOf, type Slices, wholeColumns } from "../shared/slices.ts";
import { policyOf } from "../shared/policy.ts";
import { BATCH_NORM, type ColumnTable } from "../shared/tables.ts";

/** Settings of {@linkcode batchNorm}. */
export interface BatchNormOptions {
  /** Scale γ, `[c]`. */
  weight: Tensor;
  /** Shift β, `[c]`. */
  bias: Tensor;
  /** Running mean, `[c]`: updated in place when training, used when not. Optional when training. */
  runningMean?: Tensor;
  /** Running variance, unbiased, `[c]`: updated in place when training, used when not. Optional when training. */
  runningVar?: Tensor;
  /** Normalise by the statistics of the batch (true) or by the running ones (false). */
  training: boolean;
  /** Weight of the newest batch in the running statistics, in [0, 1]; 0.1 by default. */
  momentum?: number;
  /** Term added to the variance, > 0; 1e-5 by default. */
  eps?: number;
  /** Tensor added to the normalised values, in the shape of x. */
  residual?: Tensor;
  /** Apply ReLU at the end; false by default. */
  relu?: boolean;
}

interface Attrs {
  readonly training: boolean;
  readonly running?: RunningStatistics;
  readonly eps: number;
  readonly relu: boolean;
  readonly moments?: Tensor;
  /** One pass over x makes the output again: what uses it need not keep it. A residual is not kept for that. */
  readonly remake: boolean;
}

// Saved: x, weight, bias, moments; and the output only where both a residual and ReLU hide the sign before ReLU.
const batchNormOp = defineOp<readonly Tensor[], Attrs>({
  name: "batchNorm",
  half: true,
  forward(context, inputs, { training, running, eps, relu, ...given }) {
    const [x, weight, bias, residual] = oneDType(inputs);
    const affine = { weight, bias };
    const columns = training && !given.moments && columnsFor(x);
    const { y, moments } = columns && running
      ? normalizeColumns(x, columns, affine, { residual, relu, running, eps })
      : normalizeSlices(x, affine, { residual, relu, training, running, eps, ...given });
    context.save(x, weight, bias, moments);
    if (relu && residual) context.save(y);
    return y;
  },
  backward(context, grad, { training, relu, eps }) {
    const { saved, needsGrad } = context;
    const [x, weight, bias, moments, output] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const operands = { x, norm: { moments, eps }, affine: { weight, bias }, grad };
    const reduction = { relu, output, inPlace: context.mayOverwrite(grad), other: context.otherGrad };
    const inPlace = context.mayOverwrite(x);
    const received = context.received instanceof GradientSums ? context.received.sums : null;
    const columns = !received && needsGrad[0] && inPlace && (!output || reduction.inPlace) && columnsFor(x);
    if (columns) {
      const { masked, ...grads } = gradColumns(operands, columns, { ...reduction, training });
      return inOrder(context, grads, masked ?? grad);
    }
    const { sums, masked } = received ? { sums: received, masked: grad } : reduceGrads(operands, reduction);
    for (const each of [output, reduction.other]) if (each) context.release(each);
    if (!needsGrad[0]) return inOrder(context, mergeSums(sums, operands.norm), masked ?? grad);
    const options = { sums, relu: relu && !masked, training, inPlace };
    return inOrder(context, gradients({ ...operands, grad: masked ?? grad }, options), masked ?? grad);
  },
  addsGrads: ({ shapes }, { relu }) => relu && shapes.length > 3,
  receives({ saved }) {
    if (saved.length < 5) return null; // without an output, or with a tensor that is made again
    const [x, , , moments, output] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
    return moments.shape[0] === 1 ? new GradientSums(x, moments, { output }) : null;
  },
  ...REMAKES,
});

/** Division into columns, however few there are, where that form is forced. */
const FORCED_COLUMNS: ColumnTable = { ...BATCH_NORM.cpu.columns, least: 0 };

/** Divides x into whole columns for workgroups; null where they should have parts of columns. */
function columnsFor(x: Tensor): Slices | null {
  const policy = policyOf(x.device);
  const { columns } = policy.of(BATCH_NORM);
  const form = policy.forced("batchNorm", ["columns", "slices"]);
  if (form === "slices") return null;
  return wholeColumns(x, form === "columns" ? FORCED_COLUMNS : columns);
}

function normalizeSlices(
  x: Tensor,
  affine: Affine,
  { training, running, eps, relu, residual, ...given }: Omit<Attrs, "remake"> & { residual?: Tensor },
): { y: Tensor; moments: Tensor } {
  const moments = training || !running
    ? fewMoments(given.moments ?? sliceMoments(x))
    : runningMoments(running.mean, running.variance);
  const options = { residual, relu, running: training ? running : undefined };
  return { y: normalize(x, { moments, eps }, affine, options), moments };
}

/** The gradients that are wanted, in the order of the inputs; a residual's is that of the values before ReLU. */
function inOrder(
  { needsGrad, shapes }: OpContext,
  { gradX, gradWeight, gradBias }: AffineGrads & { gradX?: Tensor },
  gradSum: Tensor,
): (Tensor | null)[] {
  const grads = [gradX ?? null, needsGrad[1] ? gradWeight : null, needsGrad[2] ? gradBias : null];
  return shapes.length > 3 ? [...grads, needsGrad[3] ? gradSum.alias() : null] : grads;
}

/**
 * Batch normalisation over every axis but the last (the channels), with an optional residual sum and ReLU in the same
 * pass: `y = relu((x − mean) / √(variance + eps) · weight + bias + residual)`.
 *
 * When training, mean and variance are those of the batch (the variance biased), and the running statistics move to
 * `(1 − momentum) · running + momentum · batch` on the device (the variance unbiased there), as in PyTorch.
 *
 * @param x Values `[…, c]`, f32 or f16, which the result has too; all is computed in f32, and everything else is f32.
 * @param options Scale, shift, running statistics, mode, and what to fuse.
 * @returns The shape of x.
 * @throws {TypeError} If a shape does not match, training has fewer than 2 values per channel, or evaluation has no
 *   running statistics.
 * @throws {RangeError} If `eps` is not > 0 or `momentum` is outside [0, 1].
 *
 * @example Usage
 * ```ts
 * import { batchNorm, Device, ones, tensor, zeros } from "@decoupled/uniformity";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 10], [3, 30]]);
 * const y = batchNorm(x, { weight: ones([2]), bias: zeros([2]), training: true, relu: true });
 * assertClose(await y.data(), [0, 0, 1, 1], { rtol: 1e-5 });
 * ```
 *
 * @see Ioffe and Szegedy, "Batch Normalization", arXiv:1502.03167; `torch.nn.functional.batch_norm`.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor<"f32"> {
  checkOptions("compute batchNorm()", options, [
    "weight",
    "bias",
    "runningMean",
    "runningVar",
    "training",
    "momentum",
    "eps",
    "residual",
    "relu",
  ]);
  return batchNormOf(x, options);
}

/** Computes {@linkcode batchNorm} with the moments of x, `[slices, 3, c]`, where the op that made x left them. */
export function batchNormOf(x: Tensor, options: BatchNormOptions, moments?: Tensor | null): Tensor<"f32"> {
  const { weight, bias, runningMean, runningVar, training, momentum = 0.1, eps = 1e-5, residual, relu = false } =
    options;
  checkShapes(x, options);
  checkMode(x, options);
  checkRange(eps, momentum);
  const running = runningMean && runningVar ? { mean: runningMean, variance: runningVar, momentum } : undefined;
  const inputs = residual ? [x, weight, bias, residual] : [x, weight, bias];
  const remake = isRemade(x, residual);
  return batchNormOp(inputs, { training, running, eps, relu, moments: moments ?? undefined, remake });
}

function checkShapes(x: Tensor, options: BatchNormOptions): void {
  const { weight, bias, runningMean, runningVar, residual } = options;
  if (x.rank < 2) {
    throw new TypeError(`Cannot compute batchNorm() as x must be [..., channels] of rank >= 2: got x [${x.shape}]`);
  }
  checkFloat("batchNorm", x, weight, bias);
  const channels = [x.shape.at(-1)!];
  for (const [name, tensor] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (tensor) checkSame(name, tensor, channels, x);
  }
  if (residual) {
    checkFloat("batchNorm", residual);
    if (!sameShape(residual.shape, x.shape)) throw mismatch("residual", residual, x.shape, x);
  }
}

function checkSame(name: string, tensor: Tensor, shape: Shape, x: Tensor): void {
  if (tensor.dtype !== "f32" || !sameShape(tensor.shape, shape)) throw mismatch(name, tensor, shape, x);
}

function mismatch(name: string, tensor: Tensor, shape: Shape, x: Tensor): TypeError {
  return new TypeError(
    `Cannot compute batchNorm() as ${name} must be f32 [${shape}]: got x [${x.shape}] and ${name} ` +
      `${tensor.dtype} [${tensor.shape}]`,
  );
}

function checkMode(x: Tensor, { training, runningMean, runningVar }: BatchNormOptions): void {
  if (!runningMean !== !runningVar) {
    throw new TypeError(
      `Cannot compute batchNorm() as runningMean and runningVar come together: got only ${
        runningMean ? "runningMean" : "runningVar"
      }`,
    );
  }
  if (!training && !runningMean) {
    throw new TypeError("Cannot compute batchNorm() as evaluation needs runningMean and runningVar: got neither");
  }
  if (training && rowsOf(x) < 2) {
    throw new TypeError(
      `Cannot compute batchNorm() as it expects more than 1 value per channel when training: got x [${x.shape}]; eval() ` +
        "of the network takes one image, by the statistics that were learnt",
    );
  }
}

function checkRange(eps: number, momentum: number): void {
  checkSetting("compute batchNorm()", "eps", eps);
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new RangeError(`Cannot compute batchNorm() as momentum must be in [0, 1]: got ${momentum}`);
  }
}
