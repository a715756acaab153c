import { conv2d, type Conv2dOptions } from "../ops/mod.ts";
import { conv2dWithMoments, normConv2d, readsNormalized, type TrainingNorm } from "../ops/internal.ts";
import { key, type Tensor, uniform } from "../tensor/mod.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";
import { defaultInit, fanIn, type InitOptions, type WeightInit } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Sizes of a {@linkcode Conv2d}; a number stands for both axes. */
export interface Conv2dLayerOptions extends Partial<InitOptions> {
  /** Channels of the input. */
  inChannels: number;
  /** Channels of the output. */
  outChannels: number;
  /** Height and width of the window. */
  kernelSize: number | readonly [number, number];
  /** Steps of the window in px; 1 by default. */
  stride?: number | readonly [number, number];
  /** Zeros around the image in px; 0 by default. */
  padding?: number | readonly [number, number];
  /** Distance between the taps of the window; 1 by default. */
  dilation?: number | readonly [number, number];
  /** Groups of channels that do not mix; 1 by default. */
  groups?: number;
  /** Add a bias; true by default. */
  bias?: boolean;
  /** Initialisation of the weight; PyTorch's by default. */
  init?: WeightInit;
}

/** Output of a convolution, and its moments per channel where they are known. */
export interface Convolved {
  /** Output, `[n, h, w, c]`. */
  readonly y: Tensor;
  /** Moments, `[slices, 3, c]`: mean, sum of squared deviations and count of each slice of pixels. */
  readonly moments: Tensor | null;
}

const OPTIONS = [
  ...["inChannels", "outChannels", "kernelSize", "stride", "padding", "dilation", "groups", "bias"] as const,
  ...["init", "key", "device"] as const,
];

/**
 * Layer of a 2-D convolution (cross-correlation) of `[n, h, w, c]` images, as PyTorch's `nn.Conv2d`.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { Conv2d } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const layer = new Conv2d({ inChannels: 3, outChannels: 8, kernelSize: 3, stride: 2, padding: 1 });
 * assertEquals(layer.forward(ones([2, 16, 16, 3])).shape, [2, 8, 8, 8]); // channels last
 * ```
 */
export class Conv2d extends Module {
  /** Weight `[kh, kw, inChannels / groups, outChannels]`. */
  readonly weight: Parameter;
  /** Bias `[outChannels]`, or null. */
  readonly bias: Parameter | null;
  /** Options that the layer was made with. */
  readonly options: Readonly<Conv2dLayerOptions>;

  /** Makes the weights. */
  constructor(options: Conv2dLayerOptions) {
    super();
    checkOptions("make Conv2d", options, OPTIONS);
    const { inChannels, outChannels, kernelSize, groups = 1, device, init = defaultInit } = options;
    checkSizes("make Conv2d", { inChannels, outChannels, kernelSize, groups });
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new RangeError(
        `Cannot make Conv2d as groups must divide both channels: got ${groups} for ${inChannels} and ${outChannels}`,
      );
    }
    const [kh, kw] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    const shape = [kh, kw, inChannels / groups, outChannels];
    const k = options.key ?? key(0);
    this.options = options;
    this.weight = new Parameter(init(shape, { key: k, device }));
    const bound = 1 / Math.sqrt(fanIn(shape));
    const biasKey = key(k[0], k[1], 1);
    this.bias = options.bias === false
      ? null
      : new Parameter(uniform([outChannels], { key: biasKey, low: -bound, high: bound, device }));
  }

  /** Maps `[n, h, w, inChannels]` to `[n, h', w', outChannels]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return conv2d(x, this.weight, this.#settings());
  }

  /**
   * Computes {@linkcode Conv2d.forward}, and the moments of its output per channel where the adapter's form leaves
   * them.
   */
  forwardWithMoments(x: Tensor): { y: Tensor; moments: Tensor | null } {
    return conv2dWithMoments(x, this.weight, this.#settings());
  }

  /**
   * Whether {@linkcode Conv2d.forwardNormalized} takes x.
   *
   * @internal
   */
  readsNormalized(x: Tensor): boolean {
    return this.bias === null && readsNormalized(x, this.weight, this.#settings());
  }

  /**
   * Computes {@linkcode Conv2d.forwardWithMoments} of `relu(batchNorm(x))`, normalising what it reads, in training.
   *
   * @internal
   */
  forwardNormalized(x: Tensor, norm: TrainingNorm): Convolved {
    return normConv2d(x, norm, this.weight, this.#settings());
  }

  /** Channels and window, and what differs from the defaults. */
  override extraRepr(): string {
    const { inChannels, outChannels, kernelSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias } =
      this.options;
    const given = Object.entries({ kernelSize, stride, padding, dilation, groups, bias: bias ?? true });
    const defaults: Record<string, string> = { stride: "1", padding: "0", dilation: "1", groups: "1", bias: "true" };
    const shown = given.filter(([name, value]) => `${value}` !== defaults[name]);
    return [inChannels, outChannels, ...shown.map(([name, value]) => `${name}=${value}`)].join(", ");
  }

  #settings(): Conv2dOptions {
    const { stride, padding, dilation, groups } = this.options;
    return { bias: this.bias ?? undefined, stride, padding, dilation, groups };
  }
}
