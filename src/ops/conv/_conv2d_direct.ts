// Convolution as implicit matrix products: the patches of the image are never stored.
// Channels of every group are multiples of 4 here; see _conv2d_fours.ts.
import { defineProgram, type Device, type Workgroups } from "../../device/mod.ts";
import {
  conv2d,
  conv2d_forward,
  conv2d_forward_taps,
  conv2d_input_grad,
  conv2d_pixels,
  conv2d_place,
  conv2d_weight_grad,
} from "../../shaders/conv.ts";
import { withSums } from "../../autograd/mod.ts";
import { type FloatDType, type Shape, sizeOf, Tensor } from "../../tensor/mod.ts";
import { constantsOf, type ProductForm, workgroupCount } from "../product/forms.ts";
import type { Question } from "../shared/answers.ts";
import { policyOf } from "../shared/policy.ts";
import {
  type Conv2dForm,
  describeGeometry,
  type ForwardOperands,
  type Geometry,
  type InputGradOperands,
  plainCost,
  type WeightGradOperands,
} from "./geometry.ts";
import { momentsCode, momentsNote, type SideMoments } from "../product/moments.ts";
import { choosePlan, textureBytesOf } from "../product/plan.ts";
import { sumsOf } from "../product/precision.ts";
import { noiseLike } from "../product/product.ts";
import {
  bCode,
  operandAliases,
  operandNote,
  type OperandTypes,
  readingCode,
  readingNote,
} from "../product/programs.ts";
import { sumMiddleInto } from "../product/sum_middle.ts";

const OPERANDS = {
  forward: [conv2d_place, conv2d_pixels, conv2d_forward],
  forwardTaps: [conv2d_place, conv2d_pixels, conv2d_forward_taps],
  inputGrad: [conv2d_input_grad],
  weightGrad: [conv2d_place, conv2d_weight_grad],
} as const;

type Kind = keyof typeof OPERANDS;

function programOf(
  { programs }: Device,
  kind: Kind,
  form: ProductForm,
  types: OperandTypes,
  moments: boolean,
  norm?: Tensor,
) {
  const name = `conv2d ${kind} ${form.name}${operandNote(types)}${readingNote(norm)}`;
  return programs.get(conv2d, `${name} ${moments}`, () => {
    const parts = [readingCode(norm), ...momentsCode(moments), ...form.code] as const;
    const code = [operandAliases(types), conv2d, bCode(form), ...OPERANDS[kind], ...parts] as const;
    const forms = `conv2d:${kind === "forwardTaps" ? "taps" : "direct"} matmul:${form.name}${momentsNote(moments)}`;
    return defineProgram({ name, form: forms, code, entryPoint: "main" });
  });
}

/** Pixels of a segment of the weight gradient, and terms of one of a forward pass by taps; multiples of 8. */
const PIXELS = 256;
const TAP_TERMS = 256;

/** One of the three products. */
interface Job {
  readonly kind: Kind;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly bias?: Tensor;
  /** Shape of the result. */
  readonly shape: Shape;
  readonly dtype: FloatDType;
  /** Rows of the product, and how many of them a workgroup in z sees at most. */
  readonly rows: number;
  readonly rowsOfPhase?: number;
  readonly phases?: number;
  readonly cols: number;
  /** Terms of the sum, and of each of its segments. */
  readonly inner: number;
  readonly depth: number;
  /** Vectors from group to group in a, b and c. */
  readonly groupSteps: readonly [number, number, number];
  /** Takes the moments of the rows per column, where the sum is not split. */
  readonly side?: SideMoments;
  /** Normalisation of a as it is read. */
  readonly norm?: Tensor;
}

/** Computes `y [n, oh, ow, out]` of `x [n, h, w, in]`: an implicit GEMM (im2col without a copy). */
function forwardDirect(g: Geometry, operands: ForwardOperands): Tensor {
  return forward(g, "forward", g.inChannels, operands);
}

/**
 * Computes the same as `forwardDirect`, with sums that run through taps and channels at once: for 4 channels a group.
 */
function forwardTaps(g: Geometry, operands: ForwardOperands): Tensor {
  return forward(g, "forwardTaps", TAP_TERMS, operands);
}

function forward(
  g: Geometry,
  kind: "forward" | "forwardTaps",
  depth: number,
  { x, weight, bias, side, dtype, norm }: ForwardOperands,
): Tensor {
  const pixels = g.n * sizeOf(g.outSize);
  return run(g, {
    kind,
    a: x,
    b: weight,
    bias,
    shape: [g.n, ...g.outSize, g.groups * g.outChannels],
    dtype,
    rows: pixels,
    cols: g.outChannels,
    inner: sizeOf(g.kernel) * g.inChannels,
    depth,
    groupSteps: [g.inChannels / 4, g.outChannels / 4, g.outChannels / 4],
    side,
    norm,
  });
}

/** Gradient of `x` from that of `y`. */
function inputGradDirect(g: Geometry, { gradY, weight, dtype }: InputGradOperands): Tensor {
  const phaseOf = (i: number) => Math.ceil(g.size[i]! / g.stride[i]!);
  return run(g, {
    kind: "inputGrad",
    a: gradY,
    b: weight,
    shape: [g.n, ...g.size, g.groups * g.inChannels],
    dtype,
    rows: g.n * sizeOf(g.size),
    rowsOfPhase: g.n * phaseOf(0) * phaseOf(1),
    phases: sizeOf(g.stride),
    cols: g.inChannels,
    inner: sizeOf(g.kernel) * g.outChannels,
    depth: g.outChannels,
    groupSteps: [g.outChannels / 4, g.outChannels / 4, g.inChannels / 4],
  });
}

/** Gradient of the weight from that of `y`. */
function weightGradDirect(g: Geometry, { x, gradY, dtype, norm }: WeightGradOperands): Tensor {
  return run(g, {
    kind: "weightGrad",
    a: x,
    b: gradY,
    shape: [...g.kernel, g.inChannels, g.groups * g.outChannels],
    dtype,
    rows: sizeOf(g.kernel) * g.inChannels,
    cols: g.outChannels,
    inner: g.n * sizeOf(g.outSize),
    depth: PIXELS,
    groupSteps: [g.inChannels / 4, g.outChannels / 4, g.outChannels / 4],
    norm,
  });
}

function run(g: Geometry, job: Job): Tensor {
  const { kind, bias, shape, rows, inner, depth } = job;
  const { device } = job.a;
  const segments = Math.ceil(inner / depth);
  const [cols4, batch, size] = [job.cols / 4, g.groups * (job.phases ?? 1), sizeOf(shape)];
  const rowsAtOnce = job.rowsOfPhase ?? rows;
  const mostSplits = Math.min(segments, Math.floor(device.limits.maxComputeWorkgroupsPerDimension / batch));
  const whole = kind === "forward" || kind === "forwardTaps";
  const sizes = {
    rows: rowsAtOnce,
    cols4,
    batch,
    terms: inner,
    resultBytes: size * 4,
    mostSplits,
    whole,
    sums: sumsOf(job.a, job.b),
    textureBytes: textureBytesOf(job.b),
  };
  const { form, splits } = choosePlan(policyOf(device), sizes, () => questionOf(g, job));
  const [x, y] = device.groups(workgroupCount(form, rowsAtOnce, cols4), 1);
  const result: Tensor = new Tensor(device, shape, { dtype: job.dtype });
  const target = splits === 1 ? result : new Tensor(device, [splits, ...shape]);
  launch(g, job, { form, splits, segments, target, workgroups: [x, y, batch * splits] });
  if (splits === 1) return result;
  sumMiddleInto(target, result, { outer: 1, length: splits, inner: size, bias, cols: shape.at(-1)! });
  target.dispose();
  return result;
}

/** Division of a job's sum, and where its parts go. */
interface Launch {
  readonly form: ProductForm;
  readonly splits: number;
  readonly segments: number;
  readonly target: Tensor;
  readonly workgroups: Workgroups;
}

function launch(g: Geometry, job: Job, { form, splits, segments, target, workgroups }: Launch): void {
  const { kind, a, b, bias, shape, rows, cols, inner, depth, norm } = job;
  const { device } = a;
  const moments = splits === 1 && job.side
    ? job.side.open(device, Math.ceil(rows / form.rows), shape.at(-1)!)
    : undefined;
  device.dispatch(programOf(device, kind, form, { a, b, c: target }, moments !== undefined, norm), {
    params: {
      ...sizesOf(g),
      ...{ rows, cols4: cols / 4, inner, depth, segments, splits, split4: sizeOf(shape) / 4, groups: g.groups },
      a4: a.shape.at(-1)! / 4,
      ldb4: b.shape.at(-1)! / 4,
      c4: shape.at(-1)! / 4,
      group_a4: job.groupSteps[0],
      group_b4: job.groupSteps[1],
      group_c4: job.groupSteps[2],
    },
    buffers: {
      1: a.storage,
      2: b.storage,
      3: target.storage,
      4: (bias ?? b).storage,
      5: moments?.storage,
      7: norm?.storage,
    },
    workgroups,
    constants: { ...constantsOf(device, form, job), K_TAIL: inner % 4 !== 0, BIAS: bias !== undefined && splits === 1 },
  });
}

function questionOf(g: Geometry, job: Job): Pick<Question, "key" | "prepare"> {
  const sums = sumsOf(job.a, job.b);
  return {
    key: `conv2d direct ${job.kind} ${describeGeometry(g)} ${job.a.dtype}`,
    prepare() {
      const [a, b] = [noiseLike(job.a, 1), noiseLike(job.b, 2)];
      const plain = { ...job, a, b, bias: undefined, side: undefined, norm: undefined };
      return { run: () => withSums(sums, () => run(g, plain)) };
    },
  };
}

function sizesOf(g: Geometry) {
  return {
    h: g.size[0],
    w: g.size[1],
    out_h: g.outSize[0],
    out_w: g.outSize[1],
    kernel_h: g.kernel[0],
    kernel_w: g.kernel[1],
    stride_h: g.stride[0],
    stride_w: g.stride[1],
    padding_h: g.padding[0],
    padding_w: g.padding[1],
    dilation_h: g.dilation[0],
    dilation_w: g.dilation[1],
    in4: g.inChannels / 4,
    per_column: 1 / g.outSize[1],
    half_column: 0.5 / g.outSize[1],
    per_line: 1 / g.outSize[0],
    half_line: 0.5 / g.outSize[0],
  };
}

/** The plain sum, for every shape. */
export const direct: Conv2dForm = {
  serves: () => true,
  cost: plainCost,
  forward: forwardDirect,
  inputGrad: inputGradDirect,
  weightGrad: weightGradDirect,
};

/** The plain sum of up to 4 channels, in larger parts. */
export const taps: Conv2dForm = {
  ...direct,
  serves: (g, product) => product === "forward" && g.inChannels === 4 && sizeOf(g.kernel) > 1,
  forward: forwardTaps,
};
