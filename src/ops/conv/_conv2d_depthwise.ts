// Convolution of each channel by itself, where groups, input and output channels are as many; channels are what they are.
import { defineProgram, type Device } from "../../device/mod.ts";
import { conv2d_depthwise, conv2d_depthwise_grad } from "../../shaders/conv.ts";
import { lib_flat, lib_strip } from "../../shaders/lib.ts";
import { type FloatDType, sizeOf, Tensor } from "../../tensor/mod.ts";
import { castTo, elementAliases, floatOf } from "../../tensor/internal.ts";
import { sumOfRows } from "../product/linear.ts";
import { policyOf } from "../shared/policy.ts";
import { columnsOf } from "../shared/slices.ts";
import { DEPTHWISE } from "../shared/tables.ts";
import {
  type Conv2dForm,
  type ForwardOperands,
  type Geometry,
  type InputGradOperands,
  type Pair,
  plainCost,
  type WeightGradOperands,
} from "./geometry.ts";

/** Largest number of taps: the longest loop of an invocation. */
const MOST_TAPS = 2048;

/** Px of a strip, and taps of an invocation of the gradient. */
const STRIP = 4;

const FORM = "conv2d:depthwise";

function programOf({ programs }: Device, lanes: 1 | 4, types: Readonly<Record<"X" | "W" | "Y", FloatDType>>) {
  const name = `conv2d depthwise ${Object.values(types).join(" ")} ${lanes}`;
  return programs.get(conv2d_depthwise, name, () => {
    const code = [elementAliases({ ...types, V: "f32" }, lanes), lib_flat, lib_strip, conv2d_depthwise] as const;
    return defineProgram({ name, form: FORM, code, entryPoint: "main" });
  });
}

function gradProgramOf({ programs }: Device, lanes: 1 | 4, types: Readonly<Record<"X" | "G", FloatDType>>) {
  const name = `conv2d depthwise weightGrad ${Object.values(types).join(" ")} ${lanes}`;
  return programs.get(conv2d_depthwise_grad, name, () => {
    const code = [elementAliases({ ...types, V: "f32" }, lanes), lib_flat, lib_strip, conv2d_depthwise_grad] as const;
    return defineProgram({ name, form: FORM, code, entryPoint: "main" });
  });
}

function lanesOf(g: Geometry): 1 | 4 {
  return g.groups % 4 === 0 ? 4 : 1;
}

/** A window that slides over x, `[n, ...size]` px, to make y, `[n, ...outSize]` px. */
interface Sliding {
  readonly size: Pair;
  readonly outSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Distance of the px of x. */
  readonly spread: Pair;
  readonly flip: boolean;
}

interface Operands {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly dtype: FloatDType;
}

function slide(g: Geometry, windows: Sliding, { x, weight, bias, dtype }: Operands): Tensor {
  const { size, outSize, stride, padding, spread, flip } = windows;
  const { device } = x;
  const columns = columnsOf(g.groups);
  const strips = Math.ceil(outSize[1] / STRIP);
  const invocations = g.n * outSize[0] * strips * columns;
  const y: Tensor = new Tensor(device, [g.n, ...outSize, g.groups], { dtype });
  const types = { X: floatOf(x), W: floatOf(weight), Y: dtype };
  device.dispatch(programOf(device, lanesOf(g), types), {
    params: {
      ...{ size: invocations, columns, strips, out_h: outSize[0], out_w: outSize[1], h: size[0], w: size[1] },
      ...{ kernel_h: g.kernel[0], kernel_w: g.kernel[1], stride_h: stride[0], stride_w: stride[1] },
      ...{ dilation_h: g.dilation[0], dilation_w: g.dilation[1], padding_h: padding[0], padding_w: padding[1] },
      ...{ spread_h: spread[0], spread_w: spread[1] },
    },
    buffers: { 1: x.storage, 2: weight.storage, 3: (bias ?? weight).storage, 4: y.storage },
    workgroups: device.groups(invocations, 64),
    constants: {
      SLIDES: stride[1] === 1 && g.dilation[1] === 1 && spread[1] === 1,
      FLIP: flip,
      BIAS: bias !== undefined,
    },
  });
  return y;
}

/** Computes `y [n, oh, ow, c]` of `x [n, h, w, c]`. */
function forward(g: Geometry, { x, weight, bias, dtype }: ForwardOperands): Tensor {
  const { size, outSize, stride, padding } = g;
  return slide(g, { size, outSize, stride, padding, spread: [1, 1], flip: false }, { x, weight, bias, dtype });
}

/** Gradient of `x` from that of `y`. */
function inputGrad(g: Geometry, { gradY, weight, dtype }: InputGradOperands): Tensor {
  const padding = [0, 1].map((i) => g.dilation[i]! * (g.kernel[i]! - 1) - g.padding[i]!) as [number, number];
  const windows = { size: g.outSize, outSize: g.size, stride: [1, 1], padding, spread: g.stride, flip: true } as const;
  return slide(g, windows, { x: gradY, weight, dtype });
}

/** Gradient of the weight from that of `y`. */
function weightGrad(g: Geometry, { x, gradY, dtype }: WeightGradOperands): Tensor {
  const { device } = x;
  const [columns, [kernelH, kernelW]] = [columnsOf(g.groups), g.kernel];
  const fours = Math.ceil(kernelW / STRIP);
  const { length, parts, runs, block } = runsOf(g, device, columns * kernelH * fours);
  const blocks = Math.ceil(runs / block);
  const size = blocks * kernelH * fours * columns;
  const shape = [...g.kernel, 1, g.groups];
  const sums = new Tensor(device, [blocks, sizeOf(shape)]);
  device.dispatch(gradProgramOf(device, lanesOf(g), { X: floatOf(x), G: floatOf(gradY) }), {
    params: {
      ...{ size, columns, fours, runs, block, length, parts, out_h: g.outSize[0], out_w: g.outSize[1] },
      ...{ h: g.size[0], w: g.size[1], kernel_h: kernelH, kernel_w: kernelW },
      ...{ stride_h: g.stride[0], stride_w: g.stride[1], dilation_h: g.dilation[0], dilation_w: g.dilation[1] },
      ...{ padding_h: g.padding[0], padding_w: g.padding[1] },
    },
    buffers: { 1: x.storage, 2: gradY.storage, 3: sums.storage },
    workgroups: device.groups(size, 64),
    constants: { SLIDES: g.stride[1] === 1 && g.dilation[1] === 1 },
  });
  const sum = blocks === 1 ? sums : sumOfRows(sums, sizeOf(shape));
  if (sum !== sums) sums.dispose();
  return (dtype === "f32" ? sum : castTo(sum, dtype)).alias(shape);
}

/** Runs of at most so many px in a line, and how many of them make a block, for so many invocations a block. */
function runsOf(g: Geometry, device: Device, invocations: number) {
  const table = policyOf(device).of(DEPTHWISE);
  const [lines, width] = [g.n * g.outSize[0], g.outSize[1]];
  const length = Math.min(width, table.maxRows);
  const parts = Math.ceil(width / length);
  const wanted = Math.ceil(lines * width * invocations / table.invocations);
  const pixels = Math.max(table.minRows, Math.min(table.maxRows, wanted));
  return { length, parts, runs: lines * parts, block: Math.max(1, Math.floor(pixels / length)) };
}

/** Each channel by itself. */
export const depthwise: Conv2dForm = {
  serves: (g) => g.inChannels === 1 && g.outChannels === 1 && sizeOf(g.kernel) <= MOST_TAPS,
  cost: plainCost,
  forward,
  inputGrad,
  weightGrad,
};
