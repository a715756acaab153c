import type { Device } from "../device/mod.ts";
import { layerNorm } from "../ops/mod.ts";
import { ones, type Tensor, zeros } from "../tensor/mod.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Settings of a {@linkcode LayerNorm}. */
export interface LayerNormLayerOptions {
  /** Features of the last axis. */
  numFeatures: number;
  /** Term added to the variance; 1e-5 by default. */
  eps?: number;
  /** Device; the default one by default. */
  device?: Device;
}

/**
 * Layer normalisation over the last axis, as PyTorch's `nn.LayerNorm`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { LayerNorm } from "@decoupled/uniformity/nn";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = await new LayerNorm({ numFeatures: 2 }).forward(tensor([[1, 3]])).data();
 * assertAlmostEquals(y[1]!, 1, 1e-4);
 * ```
 */
export class LayerNorm extends Module {
  /** Scale, `[numFeatures]`, ones at first. */
  readonly weight: Parameter;
  /** Shift, `[numFeatures]`, zeros at first. */
  readonly bias: Parameter;
  #eps: number;

  /** Makes scale and shift. */
  constructor(options: LayerNormLayerOptions) {
    super();
    checkOptions("make LayerNorm", options, ["numFeatures", "eps", "device"]);
    const { numFeatures, eps = 1e-5, device } = options;
    checkSizes("make LayerNorm", { numFeatures });
    this.weight = new Parameter(ones([numFeatures], { device }));
    this.bias = new Parameter(zeros([numFeatures], { device }));
    this.#eps = eps;
  }

  /** Normalises `[…, numFeatures]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return layerNorm(x, { weight: this.weight, bias: this.bias, eps: this.#eps });
  }
}
