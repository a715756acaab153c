import { defineOp } from "../../autograd/mod.ts";
import { type Shape, sizeOf, type Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { packed } from "../product/layout.ts";
import { product } from "../product/product.ts";
import { type Resize, resizeMatrixOn } from "./_resize_matrices.ts";
import type { ResizeMode } from "./resize_matrix.ts";

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

interface Attrs {
  readonly rows: Resize;
  readonly columns: Resize;
  readonly size: readonly [number, number];
}

const interpolateOp = defineOp<readonly [Tensor], Attrs>({
  name: "interpolate",
  forward: (_context, [x], attrs) => resample(x, attrs, false),
  backward: (_context, grad, attrs) => [resample(grad, attrs, true)],
});

/** Multiplies heights and widths by the matrices, or by their transposes. */
function resample(x: Tensor, { rows, columns, size }: Attrs, transposed: boolean): Tensor {
  const { device } = x;
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [oh, ow] = transposed ? [rows[0], columns[0]] : size;
  if (x.size === 0) return zeros([n, oh, ow, c], { device });
  const [a, b] = [resizeMatrixOn(device, rows), resizeMatrixOn(device, columns)];
  const layout = (count: number) =>
    packed({ transposeA: transposed, batch: { sizes: [1, 1, count], a: [0, 0, 0], b: [0, 0, 1] } });
  const low = product({
    a,
    b: x.alias([n, h, w * c]),
    sizes: { rows: oh, inner: h, cols: w * c },
    layout: layout(n),
  });
  const y = product({
    a: b,
    b: low.alias([n * oh, w, c]),
    sizes: { rows: ow, inner: w, cols: c },
    layout: layout(n * oh),
  });
  return y.alias([n, oh, ow, c]);
}

/**
 * Resizes images, as PyTorch's `interpolate`: bicubic with its a = −0.75 (−0.5 with `antialias`, as Pillow), and for
 * `"nearest"` the pixel at `⌊i · old / new⌋`. Computed as two products with small matrices, so that it is differentiable.
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
  const rows: Resize = [h, size[0], { ...how, factor: scaleFactor?.[0] }];
  const columns: Resize = [w, size[1], { ...how, factor: scaleFactor?.[1] }];
  return sizeOf(x.shape) === 0 ? zeros([x.shape[0]!, ...size, x.shape[3]!], { device: x.device }) : interpolateOp([x], {
    rows,
    columns,
    size: [size[0], size[1]],
  });
}
