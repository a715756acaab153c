import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { resample as code } from "../../shaders/conv.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { type Shape, sizeOf, Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { windowsOn } from "./_kept_windows.ts";
import type { ResizeMode, ResizeRule } from "./resize_windows.ts";

/** Settings of {@linkcode interpolate}. */
export interface InterpolateOptions {
  /** Height and width wanted, px. */
  size: readonly [number, number];
  /**
   * New pixels for an old one, down and across, where they are not `size` by the old size: PyTorch's `scale_factor`, from
   * which the size wanted is rounded. Not with `alignCorners`.
   */
  scaleFactor?: readonly [number, number];
  /** Filter; `"bilinear"` by default. */
  mode?: ResizeMode;
  /** Whether the middles of the corner pixels stay where they are; false by default: the corners of the image do. */
  alignCorners?: boolean;
  /** Whether the filter widens where the image shrinks, as Pillow's; false by default, and not with `alignCorners`. */
  antialias?: boolean;
}

/** Old and new size along an axis, and the rule. */
type Axis = readonly [from: number, to: number, rule: ResizeRule];

function resampling(words: string) {
  return defineProgram({ name: "interpolate", code: [lib_flat, `alias W = ${words};`, code], entryPoint: "resample" });
}
const SINGLE = resampling("f32");
const WIDE = resampling("vec4f");

/** Pixels of a window that one dispatch adds; more are added in further ones. */
const CHUNK = 2048;

const interpolateOp = defineOp<readonly [Tensor], { readonly rows: Axis; readonly columns: Axis }>({
  name: "interpolate",
  forward: (_context, [x], { rows, columns }) => along(along(x, 1, rows, false), 2, columns, false),
  backward: (_context, grad, { rows, columns }) => [along(along(grad, 2, columns, true), 1, rows, true)],
});

/** Resizes along an axis, or takes a gradient back. */
function along(x: Tensor, dim: number, axis: Axis, transposed: boolean): Tensor {
  const { device, shape } = x;
  const { words, rows, longest } = windowsOn(device, ...axis, transposed);
  const y = new Tensor(device, shape.with(dim, rows));
  const inner = sizeOf(shape.slice(dim + 1));
  const unit = inner % 4 === 0 ? 4 : 1;
  const items = y.size / unit;
  for (let begin = 0; begin === 0 || begin < longest; begin += CHUNK) {
    device.dispatch(unit === 4 ? WIDE : SINGLE, {
      params: { items, rows, old: shape[dim]!, inner: inner / unit, begin, most: CHUNK },
      buffers: { 1: words.storage, 2: x.storage, 3: y.storage },
      workgroups: device.groups(items, 64),
    });
  }
  return y;
}

/**
 * Resizes images, as PyTorch's `interpolate`: bicubic with its a = −0.75 (−0.5 with `antialias`, as Pillow), and for
 * `"nearest"` the pixel at `⌊i · old / new⌋`. A pixel that is NaN or infinite shows where a window reaches it, nowhere else.
 *
 * @param x Images `[n, h, w, c]`, f32, h and w ≥ 1.
 * @param options `size`, `scaleFactor`, `mode`, `alignCorners`, `antialias`.
 * @returns `[n, …size, c]`.
 * @throws {TypeError} If x is not f32 or not of rank 4, or empty along its height or width.
 * @throws {RangeError} If a size is no positive integer, the mode is another, or the options contradict each other.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { interpolate } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[[[0], [4]]]]); // one row of two pixels
 * assertEquals(await interpolate(x, { size: [1, 4] }).data(), new Float32Array([0, 1, 3, 4]));
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor<"f32"> {
  checkOptions("compute interpolate()", options, ["size", "scaleFactor", "mode", "alignCorners", "antialias"]);
  const { size, scaleFactor, mode = "bilinear", alignCorners = false, antialias = false } = options;
  checkFloat("interpolate", x);
  const [, h = 0, w = 0] = x.shape as Shape;
  if (x.rank !== 4 || h === 0 || w === 0) {
    throw new TypeError(`Cannot compute interpolate() as x must be [n, h, w, c] with h and w >= 1: got x [${x.shape}]`);
  }
  if (size?.length !== 2 || !size.every((side) => Number.isInteger(side) && side >= 1)) {
    throw new RangeError(`Cannot compute interpolate() as size must be two positive integers: got [${size}]`);
  }
  if (mode !== "nearest" && mode !== "bilinear" && mode !== "bicubic") {
    throw new RangeError(
      `Cannot compute interpolate() as mode must be "nearest", "bilinear" or "bicubic": got "${mode}"`,
    );
  }
  if (alignCorners && antialias || mode === "nearest" && (alignCorners || antialias)) {
    throw new RangeError(
      `Cannot compute interpolate() as ${mode} takes ${mode === "nearest" ? "neither" : "one"} of alignCorners and ` +
        "antialias: got " + (alignCorners && antialias ? "both" : alignCorners ? "alignCorners" : "antialias"),
    );
  }
  if (scaleFactor && (alignCorners || !scaleFactor.every((factor) => factor > 0 && factor < Infinity))) {
    throw new RangeError(
      `Cannot compute interpolate() as scaleFactor must be two numbers > 0, without alignCorners: got [${scaleFactor}]`,
    );
  }
  const how = { mode, alignCorners, antialias };
  if (x.size === 0) return zeros([x.shape[0]!, ...size, x.shape[3]!], { device: x.device });
  return interpolateOp([x], {
    rows: [h, size[0], { ...how, factor: scaleFactor?.[0] }],
    columns: [w, size[1], { ...how, factor: scaleFactor?.[1] }],
  });
}
