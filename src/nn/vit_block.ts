import type { Device } from "../device/mod.ts";
import { add, gelu, type GeluOptions, mul, selfAttention, stochasticDepth } from "../ops/mod.ts";
import { full, type Key, key, normal, type Tensor, tidy, zeros } from "../tensor/mod.ts";
import { assign } from "../tensor/internal.ts";
import { LayerNorm } from "./layer_norm.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Sizes and choices of a {@linkcode VitBlock}. */
export interface VitBlockOptions {
  readonly dim: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly eps: number;
  readonly activation: NonNullable<GeluOptions["approximate"]>;
  /** Factor of each branch at first; null for none. */
  readonly layerScale: number | null;
  /** Probability that a sample passes a branch by, in training. */
  readonly dropPath: number;
  readonly seed: number;
  /** Number of the block, for its keys. */
  readonly index: number;
  readonly device?: Device;
}

/** A linear layer with timm's weights: normal of deviation 0.02, and no bias at first. */
export function vitLinear(inFeatures: number, outFeatures: number, k: Key, device?: Device, bias = true): Linear {
  const layer = new Linear({ inFeatures, outFeatures, key: k, bias, device });
  tidy(() => {
    assign(layer.weight, normal([inFeatures, outFeatures], { key: k, std: 0.02, device }));
    if (layer.bias) assign(layer.bias, zeros([outFeatures], { device }));
  });
  return layer;
}

class Attention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  #heads: number;

  constructor({ dim, heads, seed, index, device }: VitBlockOptions) {
    super();
    this.qkv = vitLinear(dim, 3 * dim, key(seed, index, 0), device);
    this.proj = vitLinear(dim, dim, key(seed, index, 1), device);
    this.#heads = heads;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.proj.forward(selfAttention(this.qkv.forward(x), { heads: this.#heads }));
  }
}

class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  #activation: VitBlockOptions["activation"];

  constructor({ dim, mlpDim, activation, seed, index, device }: VitBlockOptions) {
    super();
    this.fc1 = vitLinear(dim, mlpDim, key(seed, index, 2), device);
    this.fc2 = vitLinear(mlpDim, dim, key(seed, index, 3), device);
    this.#activation = activation;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.fc2.forward(gelu(this.fc1.forward(x), { approximate: this.#activation }));
  }
}

/** A factor for each feature, as DINOv2's `LayerScale`. */
class LayerScale extends Module {
  readonly gamma: Parameter;

  constructor(dim: number, value: number, device?: Device) {
    super();
    this.gamma = new Parameter(full([dim], value, { device }));
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return mul(x, this.gamma);
  }
}

/** A block of a vision transformer: `x + attn(norm1(x))`, then `x + mlp(norm2(x))`, with timm's names. */
export class VitBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly ls1: LayerScale | null;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  readonly ls2: LayerScale | null;
  #options: VitBlockOptions;
  #branches = 0;

  constructor(options: VitBlockOptions) {
    super();
    const { dim, eps, layerScale, device } = options;
    this.#options = options;
    this.norm1 = new LayerNorm({ numFeatures: dim, eps, device });
    this.attn = new Attention(options);
    this.ls1 = layerScale === null ? null : new LayerScale(dim, layerScale, device);
    this.norm2 = new LayerNorm({ numFeatures: dim, eps, device });
    this.mlp = new Mlp(options);
    this.ls2 = layerScale === null ? null : new LayerScale(dim, layerScale, device);
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => {
      const y = add(x, this.#branch(this.attn.forward(this.norm1.forward(x)), this.ls1));
      return add(y, this.#branch(this.mlp.forward(this.norm2.forward(y)), this.ls2));
    });
  }

  #branch(x: Tensor, scale: LayerScale | null): Tensor {
    const y = scale ? scale.forward(x) : x;
    const { dropPath: p, seed, index } = this.#options;
    return p > 0 && this.training ? stochasticDepth(y, { p, key: () => key(seed, index, 4, this.#branches++) }) : y;
  }
}
