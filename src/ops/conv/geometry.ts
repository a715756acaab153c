// Sizes of a convolution: options, shape rule and errors.
import { type FloatDType, type Shape, sizeOf, type Tensor } from "../../tensor/mod.ts";
import type { GradientSums } from "../product/gradient_sums.ts";
import type { SideMoments } from "../product/moments.ts";
import type { Policy } from "../shared/policy.ts";
import { pair, type Size2d } from "./pool_geometry.ts";

/** Settings of `conv2d()`, but for the bias. */
export interface Windows2d {
  /** Steps of the window in px, ≥ 1; 1 by default. */
  stride?: Size2d;
  /** Zeros around the image in px, ≥ 0; 0 by default. */
  padding?: Size2d;
  /** Distance between the taps of the window in px, ≥ 1; 1 by default. */
  dilation?: Size2d;
  /** Groups of channels that do not mix; 1 by default. */
  groups?: number;
}

/** Height and width. */
export type Pair = readonly [number, number];

/** Sizes of a convolution. */
export interface Geometry {
  readonly n: number;
  /** Height and width of the input. */
  readonly size: Pair;
  /** Height and width of the output. */
  readonly outSize: Pair;
  /** Height and width of the window. */
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  /** Input channels of a group. */
  readonly inChannels: number;
  /** Output channels of a group. */
  readonly outChannels: number;
}

/** Operands of a convolution: images and weights f32 or f16. */
export interface ForwardOperands {
  readonly x: Tensor;
  readonly weight: Tensor;
  /** Bias of every pixel; f32. */
  readonly bias?: Tensor;
  /** Takes the moments of the output's pixels per channel. */
  readonly side?: SideMoments;
  /** Normalisation of x as it is read, `[in / 4, 2, 4]`; see `readsNormalized()`. */
  readonly norm?: Tensor;
  /** Dtype of the result. */
  readonly dtype: FloatDType;
}

/** Operands of the gradient of x. */
export interface InputGradOperands {
  readonly gradY: Tensor;
  readonly weight: Tensor;
  /** Gradient of x so far, which a form may add to and give back. */
  readonly into?: Tensor;
  /** Normalisation before the convolution, which wants the gradient masked and summed; a form may leave that. */
  readonly sums?: GradientSums;
  /** Dtype of the result. */
  readonly dtype: FloatDType;
}

/** Operands of the gradient of the weight. */
export interface WeightGradOperands {
  readonly x: Tensor;
  readonly gradY: Tensor;
  /** Normalisation of x as it is read. */
  readonly norm?: Tensor;
  /** Dtype of the result. */
  readonly dtype: FloatDType;
}

/** The three products of a convolution. */
export type Conv2dProduct = "forward" | "inputGrad" | "weightGrad";

/** One way of computing a convolution. */
export interface Conv2dForm {
  /** Whether the form is right for the shape, and the device has what it needs. */
  serves(g: Geometry, product: Conv2dProduct, policy: Policy): boolean;
  /** Estimates its cost, in multiply-adds, where it serves. */
  cost(g: Geometry, policy: Policy): number;
  forward(g: Geometry, operands: ForwardOperands): Tensor;
  inputGrad(g: Geometry, operands: InputGradOperands): Tensor;
  weightGrad(g: Geometry, operands: WeightGradOperands): Tensor;
}

/** Multiply-adds of the plain sum. */
export function plainCost(g: Geometry): number {
  return sizeOf(g.kernel) * g.n * sizeOf(g.outSize) * g.inChannels * g.outChannels;
}

/** Formats all sizes: equal convolutions are described alike. */
export function describeGeometry(g: Geometry): string {
  const at = (pair: Pair) => pair.join("x");
  const windows = `${at(g.kernel)} stride ${at(g.stride)} padding ${at(g.padding)} dilation ${at(g.dilation)}`;
  return `${g.n}x${at(g.size)}x${g.inChannels} to ${g.outChannels} window ${windows} groups ${g.groups}`;
}

/** Checks shapes and options, and finds all sizes. */
export function geometryOf(x: Shape, weight: Shape, options: Windows2d): Geometry {
  const got = `got x [${x}] and weight [${weight}]`;
  const { groups = 1 } = options;
  checkChannels(x, weight, groups, got);
  const [n, h, w] = x as [number, number, number];
  const [kh, kw, inChannels, out] = weight as [number, number, number, number];
  const stride = pair("conv2d", "stride", options.stride ?? 1, 1);
  const padding = pair("conv2d", "padding", options.padding ?? 0, 0);
  const dilation = pair("conv2d", "dilation", options.dilation ?? 1, 1);
  const span = [dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1] as const;
  const outOf = (i: 0 | 1, size: number) => Math.floor((size + 2 * padding[i] - span[i]) / stride[i]) + 1;
  const outSize = [outOf(0, h), outOf(1, w)] as const;
  if (outSize[0] < 1 || outSize[1] < 1) {
    throw new TypeError(
      `Cannot compute conv2d() as a window that spans [${span}] px must fit into the image padded by [${padding}]: ${got}`,
    );
  }
  const [size, kernel, outChannels] = [[h, w], [kh, kw], out / groups] as const;
  return { n, size, outSize, kernel, stride, padding, dilation, groups, inChannels, outChannels };
}

function checkChannels(x: Shape, weight: Shape, groups: number, got: string): void {
  if (x.length !== 4 || weight.length !== 4) {
    throw new TypeError(
      `Cannot compute conv2d() as x must be [n, h, w, in] and weight [kh, kw, in / groups, out]: ${got}`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1 || weight[3]! % groups !== 0) {
    throw new RangeError(
      "Cannot compute conv2d() as groups must be an integer >= 1 that divides the output channels: " +
        `got ${groups} for weight [${weight}]`,
    );
  }
  if (x[3] !== weight[2]! * groups) {
    const each = groups === 1 ? "" : ` in each of ${groups} groups`;
    const first = x[1] === weight[2]! * groups
      ? "; channels come last here, permute(x, [0, 2, 3, 1]) puts them there"
      : "";
    throw new TypeError(
      `Cannot compute conv2d() as x must have ${weight[2]} channels${each} to match the weight: ${got}${first}`,
    );
  }
  if (weight.includes(0)) throw new TypeError(`Cannot compute conv2d() as weight must not be empty: ${got}`);
}
