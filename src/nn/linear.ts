import { linear } from "../ops/mod.ts";
import { key, type Tensor, uniform } from "../tensor/mod.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";
import { defaultInit, type InitOptions } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Sizes of a {@linkcode Linear}. */
export interface LinearOptions extends Partial<InitOptions> {
  /** Features of the input. */
  inFeatures: number;
  /** Features of the output. */
  outFeatures: number;
  /** Add a bias; true by default. */
  bias?: boolean;
}

/**
 * Layer that computes `y = x W + b` over the last axis, as PyTorch's `nn.Linear`; the weight is kept as `[in, out]`.
 *
 * @example Usage
 * ```ts
 * import { Device, key, ones } from "@decoupled/uniformity";
 * import { Linear } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const layer = new Linear({ inFeatures: 8, outFeatures: 3, key: key(1) });
 * assertEquals(layer.forward(ones([5, 8])).shape, [5, 3]);
 * assertEquals([...layer.stateDict().keys()], ["weight", "bias"]);
 * ```
 */
export class Linear extends Module {
  /** Weight `[inFeatures, outFeatures]`. */
  readonly weight: Parameter;
  /** Bias `[outFeatures]`, or null. */
  readonly bias: Parameter | null;

  /** Initialised as PyTorch: `U(±1/√in)` for weight and bias. */
  constructor(options: LinearOptions) {
    super();
    checkOptions("make Linear", options, ["inFeatures", "outFeatures", "bias", "key", "device"]);
    const { inFeatures, outFeatures, bias = true, device } = options;
    checkSizes("make Linear", { inFeatures, outFeatures });
    const k = options.key ?? key(0);
    this.weight = new Parameter(defaultInit([inFeatures, outFeatures], { key: k, device }));
    const bound = 1 / Math.sqrt(inFeatures);
    const biasKey = key(k[0], k[1], 1);
    this.bias = bias ? new Parameter(uniform([outFeatures], { key: biasKey, low: -bound, high: bound, device })) : null;
  }

  /** Maps `[…, inFeatures]` to `[…, outFeatures]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return linear(x, this.weight, { bias: this.bias ?? undefined });
  }

  /** Features of input and output. */
  override extraRepr(): string {
    const [inFeatures, outFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}${this.bias ? "" : ", bias=false"}`;
  }
}
