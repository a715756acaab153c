// Windows of 2-D pooling: their options, shape rule and errors.
import type { pool2d } from "../../shaders/conv.ts";
import type { Shape, Tensor } from "../../tensor/mod.ts";
import { checkOptions } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { columnsOf } from "../shared/slices.ts";

/** One size for both axes, or height and width. */
export type Size2d = number | readonly [number, number];

/** Settings of `maxPool2d()`. */
export interface Pool2dOptions {
  /** Window in px, ≥ 1. */
  kernelSize: Size2d;
  /** Step in px, ≥ 1; the window's size by default. */
  stride?: Size2d;
  /** Px around the image, at most half of the window; 0 by default. */
  padding?: Size2d;
}

/** Values of the scalars of `shaders/conv/pool2d.wgsl`, but for the count of outputs. */
export type Windows = Readonly<Record<Exclude<keyof typeof pool2d.params, "size">, number>>;

/** Settings that one of the pools has. */
type AvgPool = Pool2dOptions & { readonly countIncludePad?: boolean };

const POOL = ["kernelSize", "stride", "padding"] as const;

/** Checks x and the options, and finds the shape of the output. */
export function windowsOf(op: string, x: Tensor, options: Pool2dOptions, includePad = false): Windows {
  checkOptions<AvgPool>(`compute ${op}()`, options, op === "avgPool2d" ? [...POOL, "countIncludePad"] : POOL);
  if (x.rank !== 4) throw new TypeError(`Cannot compute ${op}() as x must be [n, h, w, c]: got x [${x.shape}]`);
  checkFloat(op, x);
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const kernel = pair(op, "kernelSize", options.kernelSize, 1);
  const stride = pair(op, "stride", options.stride ?? kernel, 1);
  const padding = pair(op, "padding", options.padding ?? 0, 0);
  if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
    throw new RangeError(
      `Cannot compute ${op}() as padding must be at most half of kernelSize: got [${padding}] and [${kernel}]`,
    );
  }
  const out = [h, w].map((size, i) => Math.floor((size + 2 * padding[i]! - kernel[i]!) / stride[i]!) + 1);
  if (out[0]! < 1 || out[1]! < 1) {
    throw new TypeError(
      `Cannot compute ${op}() as a window of [${kernel}] must fit into the padded image: got x [${x.shape}]`,
    );
  }
  return {
    n,
    h,
    w,
    columns: columnsOf(c),
    out_h: out[0]!,
    out_w: out[1]!,
    kernel_h: kernel[0],
    kernel_w: kernel[1],
    stride_h: stride[0],
    stride_w: stride[1],
    padding_h: padding[0],
    padding_w: padding[1],
    include_pad: Number(includePad),
  };
}

/** The shape of the output for x of this shape. */
export function pooledShape(shape: Shape, { out_h, out_w }: Windows): Shape {
  return [shape[0]!, out_h, out_w, shape[3]!];
}

/** Turns an option of an op for one or both axes into one of both, which are integers from `min` on. */
export function pair(op: string, name: string, size: Size2d, min: number): readonly [number, number] {
  const both = typeof size === "number" ? [size, size] as const : size;
  if (both.length !== 2 || !both.every((value) => Number.isInteger(value) && value >= min)) {
    throw new RangeError(
      `Cannot compute ${op}() as ${name} must be one or two integers >= ${min}: got ${
        typeof size === "number" ? size : `[${size}]`
      }`,
    );
  }
  return both;
}
