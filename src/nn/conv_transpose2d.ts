import { convTranspose2d } from "../ops/mod.ts";
import { key, type Tensor, uniform } from "../tensor/mod.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";
import type { Conv2dLayerOptions } from "./conv2d.ts";
import { defaultInit } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Sizes of a {@linkcode ConvTranspose2d}; a number stands for both axes. */
export interface ConvTranspose2dLayerOptions extends Omit<Conv2dLayerOptions, "init"> {
  /** Rows and columns added below and on the right, px; 0 by default. */
  outputPadding?: number | readonly [number, number];
}

const OPTIONS = [
  ...["inChannels", "outChannels", "kernelSize", "stride", "padding", "outputPadding", "dilation", "groups"] as const,
  ...["bias", "key", "device"] as const,
];

/**
 * Layer of a transposed 2-D convolution of `[n, h, w, c]` images, as PyTorch's `nn.ConvTranspose2d`, whose
 * `[in, out / groups, kh, kw]` weight it loads.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { ConvTranspose2d } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const layer = new ConvTranspose2d({ inChannels: 8, outChannels: 4, kernelSize: 2, stride: 2 });
 * assertEquals(layer.forward(ones([1, 3, 3, 8])).shape, [1, 6, 6, 4]);
 * ```
 */
export class ConvTranspose2d extends Module {
  /** Weight `[kh, kw, outChannels / groups, inChannels]`. */
  readonly weight: Parameter;
  /** Bias `[outChannels]`, or null. */
  readonly bias: Parameter | null;
  /** Options that the layer was made with. */
  readonly options: Readonly<ConvTranspose2dLayerOptions>;

  /**
   * Initialised as PyTorch: `U(±1/√(kh · kw · out / groups))` for weight and bias.
   *
   * @throws {RangeError} If the groups do not divide both channels.
   */
  constructor(options: ConvTranspose2dLayerOptions) {
    super();
    checkOptions("make ConvTranspose2d", options, OPTIONS);
    const { inChannels, outChannels, kernelSize, groups = 1, device } = options;
    checkSizes("make ConvTranspose2d", { inChannels, outChannels, kernelSize, groups });
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new RangeError(
        `Cannot make ConvTranspose2d as groups must divide both channels: got ${groups} for ${inChannels} and ` +
          `${outChannels}`,
      );
    }
    const [kh, kw] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    const shape = [kh, kw, outChannels / groups, inChannels];
    const k = options.key ?? key(0);
    this.options = options;
    this.weight = new Parameter(defaultInit(shape, { key: k, device }));
    const bound = 1 / Math.sqrt(kh * kw * outChannels / groups);
    const bias = () => uniform([outChannels], { key: key(k[0], k[1], 1), low: -bound, high: bound, device });
    this.bias = options.bias === false ? null : new Parameter(bias());
  }

  /** Maps `[n, h, w, inChannels]` to `[n, h', w', outChannels]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const settings = { stride, padding, outputPadding, dilation, groups };
    return convTranspose2d(x, this.weight, { ...settings, bias: this.bias ?? undefined });
  }
}
