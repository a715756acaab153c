import type { Device } from "../device/mod.ts";
import { add, gelu, type GeluOptions, mul, selfAttention } from "../ops/mod.ts";
import { full, key, type Tensor, tidy } from "../tensor/mod.ts";
import { DropPath } from "./drop_path.ts";
import { LayerNorm } from "./layer_norm.ts";
import type { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { timmLinear } from "./timm_layers.ts";

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

class Attention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  #heads: number;

  constructor({ dim, heads, seed, index, device }: VitBlockOptions) {
    super();
    this.qkv = timmLinear(dim, 3 * dim, key(seed, index, 0), device);
    this.proj = timmLinear(dim, dim, key(seed, index, 1), device);
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
    this.fc1 = timmLinear(dim, mlpDim, key(seed, index, 2), device);
    this.fc2 = timmLinear(mlpDim, dim, key(seed, index, 3), device);
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
  /** Stochastic depth of both branches. */
  readonly dropPath: DropPath | null;

  constructor(options: VitBlockOptions) {
    super();
    const { dim, eps, layerScale, dropPath: p, seed, index, device } = options;
    this.norm1 = new LayerNorm({ numFeatures: dim, eps, device });
    this.attn = new Attention(options);
    this.ls1 = layerScale === null ? null : new LayerScale(dim, layerScale, device);
    this.norm2 = new LayerNorm({ numFeatures: dim, eps, device });
    this.mlp = new Mlp(options);
    this.ls2 = layerScale === null ? null : new LayerScale(dim, layerScale, device);
    this.dropPath = p > 0 ? new DropPath({ p, stream: [seed, index, 4] }) : null;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => {
      const y = add(x, this.#branch(this.attn.forward(this.norm1.forward(x)), this.ls1));
      return add(y, this.#branch(this.mlp.forward(this.norm2.forward(y)), this.ls2));
    });
  }

  #branch(x: Tensor, scale: LayerScale | null): Tensor {
    const y = scale ? scale.forward(x) : x;
    return this.dropPath ? this.dropPath.forward(y) : y;
  }
}
