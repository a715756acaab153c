import type { Device } from "../device/mod.ts";
import { globalAvgPool, maxPool2d } from "../ops/mod.ts";
import { key, type Tensor, tidy } from "../tensor/mod.ts";
import { BatchNorm2d } from "./batch_norm2d.ts";
import { Conv2d } from "./conv2d.ts";
import { type ConvNorm, convNormChain, convNormParts, type Shortcut } from "./conv_norm.ts";
import { defaultInit, kaimingNormal, type WeightInit } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Sequential } from "./sequential.ts";
import { Backbone } from "./backbone.ts";
import { checkOptions } from "../tensor/internal.ts";

/**
 * The first layers: `"imagenet"` is 7×7 stride 2 and max-pool; `"cifar"` is 3×3 stride 1, padding 2, no pool.
 *
 * The weights of `"cifar"` are drawn as the original draws them: it puts a new `nn.Conv2d` in after torchvision has drawn its own, so
 * that they are PyTorch's default, `U(±1/√27)` for three channels (deviation 0.111), and not torchvision's `N(0, 2 / fanOut)`
 * (deviation 0.059), which all other convolutions have.
 */
export type Stem = "imagenet" | "cifar";

/** Names of the settings of {@linkcode ResNet}. */
export const RESNET_OPTIONS = [
  ...["stem", "stemPadding", "numClasses", "inChannels", "checkpoint", "seed", "init", "device"] as const,
];

/** Settings shared by the ResNet family. */
export interface ResNetOptions {
  /** First layers; `"imagenet"` by default. */
  stem?: Stem;
  /** Padding of the 3×3 convolution of the stem `"cifar"`, px; 2 by default, as the original's, where most programs have 1. */
  stemPadding?: number;
  /** Outputs of the last linear layer `fc`; 2048 by default, as the paper's encoder (1000 in torchvision). */
  numClasses?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /**
   * Whether blocks are checkpointed (`checkpoint()`) in training: less memory for one more forward pass; false by default. Parts
   * that are normalised together are not.
   */
  checkpoint?: boolean;
  /** Seed of the weights; 0 by default. */
  seed?: number;
  /** Weights of the convolutions; `kaimingNormal`, torchvision's, by default. Linear layers have `defaultInit`. */
  init?: WeightInit;
  /** Device; the default one by default. */
  device?: Device;
}

/** Shape of one member of the family. */
export interface ResNetLayout {
  /** Two 3×3 convolutions, or 1×1, 3×3, 1×1. */
  block: "basic" | "bottleneck";
  /** Blocks of each of the stages. */
  layers: readonly number[];
  /** Groups of the 3×3 convolutions; 1 by default. */
  groups?: number;
  /** Channels a group at width 64; 64 by default. */
  widthPerGroup?: number;
  /** Channels of the stages; 64, 128, 256, 512 by default. */
  widths?: readonly number[];
  /** The stem's stride-2 3×3 convolution instead of a {@linkcode Stem}: for small images and machines. */
  smallStem?: boolean;
}

/** Maker of the layers of a network, each initialised with a random key of its own. */
class Layers {
  #seed: number;
  #device?: Device;
  #init: WeightInit;
  #count = 0;

  constructor(seed: number, device?: Device, init: WeightInit = kaimingNormal) {
    this.#seed = seed;
    this.#device = device;
    this.#init = init;
  }

  conv(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    stride = 1,
    padding = (kernelSize - 1) / 2,
    groups = 1,
    init = this.#init,
  ) {
    const options = { inChannels, outChannels, kernelSize, stride, padding, groups, bias: false, init };
    return new Conv2d({ ...options, key: key(this.#seed, this.#count++), device: this.#device });
  }

  norm(numFeatures: number): BatchNorm2d {
    return new BatchNorm2d({ numFeatures, device: this.#device });
  }

  linear(inFeatures: number, outFeatures: number): Linear {
    return new Linear({ inFeatures, outFeatures, key: key(this.#seed, this.#count++), device: this.#device });
  }
}

/** Two 3×3 convolutions around a shortcut. */
class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Downsample | null;

  constructor(make: Layers, inChannels: number, width: number, stride: number) {
    super();
    this.conv1 = make.conv(inChannels, width, 3, stride);
    this.bn1 = make.norm(width);
    this.conv2 = make.conv(width, width, 3);
    this.bn2 = make.norm(width);
    this.downsample = stride !== 1 || inChannels !== width ? downsample(make, inChannels, width, stride) : null;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.forwardParts([x])[0]!;
  }

  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    return convNormChain([[this.conv1, this.bn1], [this.conv2, this.bn2]], parts, this.downsample);
  }
}

/** Block of 1×1, 3×3 (with the stride) and 1×1 convolutions around a shortcut. */
class Bottleneck extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Downsample | null;

  constructor(make: Layers, inChannels: number, width: number, stride: number, groups: number, inner: number) {
    super();
    const outChannels = width * 4;
    this.conv1 = make.conv(inChannels, inner, 1);
    this.bn1 = make.norm(inner);
    this.conv2 = make.conv(inner, inner, 3, stride, 1, groups);
    this.bn2 = make.norm(inner);
    this.conv3 = make.conv(inner, outChannels, 1);
    this.bn3 = make.norm(outChannels);
    this.downsample = stride !== 1 || inChannels !== outChannels
      ? downsample(make, inChannels, outChannels, stride)
      : null;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.forwardParts([x])[0]!;
  }

  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    const layers = [[this.conv1, this.bn1], [this.conv2, this.bn2], [this.conv3, this.bn3]] as const;
    return convNormChain(layers, parts, this.downsample);
  }
}

/** A 1×1 convolution and its normalisation, named `0` and `1`. */
class Downsample extends Sequential implements Shortcut {
  #layers: ConvNorm;

  constructor(...layers: ConvNorm) {
    super(...layers);
    this.#layers = layers;
  }

  get convNorm(): ConvNorm | null {
    return this.hasForwardHooks ? null : this.#layers;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.forwardParts([x])[0]!;
  }

  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    return convNormParts(this.#layers, parts);
  }
}

function downsample(make: Layers, inChannels: number, outChannels: number, stride: number): Downsample {
  return new Downsample(make.conv(inChannels, outChannels, 1, stride), make.norm(outChannels));
}

/**
 * torchvision's ResNet, with its names and initialisation: `conv1`, `bn1`, `layer1`…, global average pool, `fc`.
 *
 * @see He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385; torchvision.models.resnet (the
 *   stride of a bottleneck is in its 3×3 convolution, "v1.5").
 */
export class ResNet extends Backbone {
  /** First convolution. */
  readonly conv1: Conv2d;
  /** Normalisation after the first convolution. */
  readonly bn1: BatchNorm2d;
  /** Last layer: pooled features to `numClasses`. */
  readonly fc: Linear;
  #stages: Sequential[] = [];
  #pool: boolean;

  /** Builds a network; {@linkcode resnet18} and its siblings know the layouts. */
  constructor(layout: ResNetLayout, options: ResNetOptions = {}) {
    super();
    checkOptions("make ResNet", options, RESNET_OPTIONS);
    const { stem = "imagenet", stemPadding = 2, numClasses = 2048, inChannels = 3, seed = 0, init, device } = options;
    const { widths = [64, 128, 256, 512], groups = 1, widthPerGroup = 64, smallStem = false } = layout;
    if (stem !== "imagenet" && stem !== "cifar") {
      throw new RangeError(`Cannot build a ResNet as stem must be "imagenet" or "cifar": got "${stem}"`);
    }
    const make = new Layers(seed, device, init);
    const first = widths[0]!;
    if (smallStem) this.conv1 = make.conv(inChannels, first, 3, 2);
    else if (stem === "imagenet") this.conv1 = make.conv(inChannels, first, 7, 2);
    else this.conv1 = make.conv(inChannels, first, 3, 1, stemPadding, 1, defaultInit);
    this.bn1 = make.norm(first);
    this.#pool = !smallStem && stem === "imagenet";
    let channels = first;
    layout.layers.forEach((count, stage) => {
      const width = widths[stage]!;
      const inner = Math.floor(width * widthPerGroup / 64) * groups;
      const blocks = Array.from({ length: count }, (_, i) => {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const from = channels;
        channels = layout.block === "basic" ? width : width * 4;
        return layout.block === "basic"
          ? new BasicBlock(make, from, width, stride)
          : new Bottleneck(make, from, width, stride, groups, inner);
      });
      this.#stages.push(options.checkpoint ? Sequential.checkpointed(...blocks) : new Sequential(...blocks));
    });
    this.fc = make.linear(channels, numClasses);
  }

  /** Whether a max-pool follows the first convolution. */
  get hasPool(): boolean {
    return this.#pool;
  }

  /** The blocks of the first stage. */
  get layer1(): Sequential {
    return this.#stage(0);
  }

  /** The blocks of the second stage. */
  get layer2(): Sequential {
    return this.#stage(1);
  }

  /** The blocks of the third stage. */
  get layer3(): Sequential {
    return this.#stage(2);
  }

  /** The blocks of the fourth stage. */
  get layer4(): Sequential {
    return this.#stage(3);
  }

  #stage(i: number): Sequential {
    const stage = this.#stages[i];
    if (stage) return stage;
    throw new RangeError(`Cannot take layer${i + 1} as the network must have it: got ${this.#stages.length} stages`);
  }

  /** Pooled features: `[n, h, w, c]` to `[n, pooledFeatures]`. */
  override pooled(x: Tensor): Tensor<"f32"> {
    return this.#pooledParts([x])[0]!;
  }

  /** Maps `[n, h, w, c]` to `[n, numClasses]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => this.fc.forward(this.pooled(x)));
  }

  /** A batch in parts, which are normalised together, to the outputs of each. */
  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    return tidy(() => this.fc.forwardParts(this.#pooledParts(parts))) as Tensor<"f32">[];
  }

  #pooledParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    return tidy(() => {
      let y = convNormParts([this.conv1, this.bn1], parts, { relu: true });
      if (this.#pool) y = y.map((part) => maxPool2d(part, { kernelSize: 3, stride: 2, padding: 1 }));
      for (const stage of this.#stages) y = stage.forwardParts(y);
      return y.map(globalAvgPool);
    });
  }

  /** Yields `conv1`, `bn1`, `layer1` …, `fc`, in torchvision's order. */
  override *fields(): IterableIterator<[string, unknown]> {
    yield ["conv1", this.conv1];
    yield ["bn1", this.bn1];
    for (const [i, stage] of this.#stages.entries()) yield [`layer${i + 1}`, stage];
    yield ["fc", this.fc];
  }
}
