import { maxPool2d } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Window of a pool. */
export interface Pool2dLayerOptions {
  /** Height and width of the window in px. */
  kernelSize: number;
  /** Steps of the window in px; `kernelSize` by default. */
  stride?: number;
  /** Padding around the image in px; 0 by default. */
  padding?: number;
}

/**
 * Largest value of each window, as PyTorch's `nn.MaxPool2d`.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { MaxPool2d } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const pool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
 * assertEquals(pool.forward(ones([1, 8, 8, 4])).shape, [1, 4, 4, 4]);
 * ```
 */
export class MaxPool2d extends Module {
  /** The window. */
  readonly options: Readonly<Pool2dLayerOptions>;

  /** Pools by this window. */
  constructor(options: Pool2dLayerOptions) {
    super();
    checkOptions("make MaxPool2d", options, ["kernelSize", "stride", "padding"]);
    this.options = options;
  }

  /** Maps `[n, h, w, c]` to `[n, h', w', c]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return maxPool2d(x, this.options);
  }
}
