import type { Device } from "../device/mod.ts";
import { add, gelu, mul } from "../ops/mod.ts";
import { full, key, type Tensor, tidy } from "../tensor/mod.ts";
import type { Conv2d } from "./conv2d.ts";
import { DropPath } from "./drop_path.ts";
import { LayerNorm } from "./layer_norm.ts";
import type { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { timmConv, timmLinear } from "./timm_layers.ts";

/** Sizes and choices of a {@linkcode ConvNextBlock}. */
export interface ConvNextBlockOptions {
  /** Channels. */
  readonly dim: number;
  readonly eps: number;
  /** Factor of the branch at first; null for none. */
  readonly layerScale: number | null;
  /** Probability that a sample skips the branch, in training. */
  readonly dropPath: number;
  readonly seed: number;
  /** Number of the block in the network, for its keys. */
  readonly index: number;
  readonly device?: Device;
}

class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor({ dim, seed, index, device }: ConvNextBlockOptions) {
    super();
    this.fc1 = timmLinear(dim, 4 * dim, key(seed, index, 1), device);
    this.fc2 = timmLinear(4 * dim, dim, key(seed, index, 2), device);
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.fc2.forward(gelu(this.fc1.forward(x)));
  }
}

/** A block of a ConvNeXt: `x + gamma · mlp(norm(conv_dw(x)))`, with timm's names; the convolution is 7 × 7, of each channel. */
export class ConvNextBlock extends Module {
  readonly gamma: Parameter | null;
  readonly convDw: Conv2d;
  readonly norm: LayerNorm;
  readonly mlp: Mlp;
  readonly dropPath: DropPath | null;

  constructor(options: ConvNextBlockOptions) {
    super();
    const { dim, eps, layerScale, dropPath: p, seed, index, device } = options;
    const window = { kernelSize: 7, padding: 3, groups: dim, key: key(seed, index, 0), device };
    this.gamma = layerScale === null ? null : new Parameter(full([dim], layerScale, { device }));
    this.convDw = timmConv({ inChannels: dim, outChannels: dim, ...window });
    this.norm = new LayerNorm({ numFeatures: dim, eps, device });
    this.mlp = new Mlp(options);
    this.dropPath = p > 0 ? new DropPath({ p, stream: [seed, index, 3] }) : null;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => {
      const y = this.mlp.forward(this.norm.forward(this.convDw.forward(x)));
      const scaled = this.gamma ? mul(y, this.gamma) : y;
      return add(x, this.dropPath ? this.dropPath.forward(scaled) : scaled);
    });
  }
}
