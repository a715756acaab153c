import type { Device } from "../device/mod.ts";
import { globalAvgPool } from "../ops/mod.ts";
import { key, type Tensor, tidy } from "../tensor/mod.ts";
import { Backbone } from "./backbone.ts";
import { ConvNextBlock } from "./convnext_block.ts";
import type { Conv2d } from "./conv2d.ts";
import { dropPathOf } from "./drop_path.ts";
import { LayerNorm } from "./layer_norm.ts";
import type { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Sequential } from "./sequential.ts";
import { timmConv, timmLinear } from "./timm_layers.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Shape of a {@linkcode ConvNext}. */
export interface ConvNextLayout {
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  /** Channels of each stage. */
  readonly dims: readonly number[];
  /** Side of the stem's patches, px; 4 by default. */
  readonly patchSize?: number;
  /** Factor of each branch at first; 1e-6 by default, null for none. */
  readonly layerScale?: number | null;
  /** Term added to the variance in layer normalisation; 1e-6 by default. */
  readonly eps?: number;
}

/** Names of the settings of {@linkcode ConvNext}. */
export const CONVNEXT_OPTIONS = ["numClasses", "inChannels", "dropPath", "checkpoint", "seed", "device"] as const;

/** Settings of a {@linkcode ConvNext}. */
export interface ConvNextOptions {
  /** Outputs of the last linear layer `head.fc`; 2048 by default, as the paper's encoder. */
  numClasses?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /** Largest probability that a sample skips a branch, in training; it grows from 0 along the blocks. 0 by default. */
  dropPath?: number;
  /** Whether blocks are checkpointed (`checkpoint()`) in training: less memory for one more forward pass; false by default. */
  checkpoint?: boolean;
  /** Seed of the weights; 0 by default. */
  seed?: number;
  /** Device; the default one by default. */
  device?: Device;
}

class Stage extends Module {
  readonly downsample: Sequential | null;
  readonly blocks: Sequential;

  constructor(downsample: Sequential | null, blocks: Sequential) {
    super();
    this.downsample = downsample;
    this.blocks = blocks;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.blocks.forward(this.downsample ? this.downsample.forward(x) : x);
  }
}

class Head extends Module {
  readonly norm: LayerNorm;
  readonly fc: Linear;

  constructor(norm: LayerNorm, fc: Linear) {
    super();
    this.norm = norm;
    this.fc = fc;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.fc.forward(this.norm.forward(x));
  }
}

/**
 * A ConvNeXt with timm's names: `stem.0`, `stages.0.blocks.0.conv_dw` …, `stages.1.downsample.0` …, `head.norm`, `head.fc`.
 *
 * @example Usage
 * ```ts
 * import { Device, noGrad, scope, zeros } from "@decoupled/uniformity";
 * import { ConvNext } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = new ConvNext({ depths: [1, 1], dims: [8, 16] }, { numClasses: 5 }).eval();
 * using _ = scope();
 * assertEquals(noGrad(() => model.forward(zeros([2, 16, 16, 3]))).shape, [2, 5]);
 * ```
 *
 * @see Liu et al., "A ConvNet for the 2020s", arXiv:2201.03545.
 */
export class ConvNext extends Backbone {
  /** Shape of the network, with the defaults. */
  readonly layout: Readonly<Required<ConvNextLayout>>;
  /** First layers: patches and their normalisation. */
  readonly stem: Sequential;
  /** The stages. */
  readonly stages: Sequential;
  #head: Head;

  /**
   * Builds a network; {@linkcode convnext} knows the usual layouts.
   *
   * @throws {RangeError} If a size is not a positive integer, or there are not as many depths as widths.
   */
  constructor(layout: ConvNextLayout, options: ConvNextOptions = {}) {
    super();
    checkOptions("make ConvNext", options, CONVNEXT_OPTIONS);
    this.layout = layoutOf(layout);
    const { dims, patchSize, eps } = this.layout;
    const { numClasses = 2048, inChannels = 3, seed = 0, device } = options;
    const [first, last, blocks] = [dims[0]!, dims.at(-1)!, countOf(this.layout.depths)];
    const patches = { kernelSize: patchSize, stride: patchSize, key: key(seed, blocks, 0), device };
    const stem = timmConv({ inChannels, outChannels: first, ...patches });
    this.stem = new Sequential(stem, new LayerNorm({ numFeatures: first, eps, device }));
    this.stages = stagesOf(this.layout, options);
    this.#head = new Head(
      new LayerNorm({ numFeatures: last, eps, device }),
      timmLinear(last, numClasses, key(seed, blocks, 1), device),
    );
  }

  /** Last layer: pooled features to `numClasses`; `head.fc` in the state. */
  override get fc(): Linear {
    return this.#head.fc;
  }

  /** Channels of the images. */
  get inChannels(): number {
    return (this.stem.layers[0] as Conv2d).options.inChannels;
  }

  /** Smallest side of an image that leaves a pixel, px. */
  get leastSize(): number {
    return this.layout.patchSize * 2 ** (this.layout.dims.length - 1);
  }

  /** Normalised pooled features: `[n, h, w, c]` to `[n, pooledFeatures]`. */
  override pooled(x: Tensor): Tensor<"f32"> {
    const least = this.leastSize;
    if (x.rank !== 4 || x.shape[1]! < least || x.shape[2]! < least) {
      throw new TypeError(
        `Cannot encode images by a ConvNext as x must be [n, h, w, c] with sides of at least ${least}: got [${x.shape}]`,
      );
    }
    return tidy(() => this.#head.norm.forward(globalAvgPool(this.stages.forward(this.stem.forward(x)))));
  }

  /** Maps images `[n, h, w, c]` to `[n, numClasses]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => this.fc.forward(this.pooled(x)));
  }

  /** timm's names, in timm's order. */
  override *fields(): IterableIterator<[string, unknown]> {
    yield ["stem", this.stem];
    yield ["stages", this.stages];
    yield ["head", this.#head];
  }
}

function stagesOf(layout: Required<ConvNextLayout>, options: ConvNextOptions): Sequential {
  const { depths, dims, eps, layerScale } = layout;
  const { dropPath = 0, checkpoint = false, seed = 0, device } = options;
  const all = countOf(depths);
  let index = 0;
  const stages = dims.map((dim, stage) => {
    const from = dims[stage - 1];
    const halves = { kernelSize: 2, stride: 2, key: key(seed, all, 2 + stage), device };
    const downsample = from === undefined ? null : new Sequential(
      new LayerNorm({ numFeatures: from, eps, device }),
      timmConv({ inChannels: from, outChannels: dim, ...halves }),
    );
    const blocks = Array.from({ length: depths[stage]! }, () => {
      const p = dropPathOf(dropPath, index, all);
      return new ConvNextBlock({ dim, eps, layerScale, dropPath: p, seed, index: index++, device });
    });
    return new Stage(downsample, checkpoint ? Sequential.checkpointed(...blocks) : new Sequential(...blocks));
  });
  return new Sequential(...stages);
}

/** Blocks of all stages. */
function countOf(depths: readonly number[]): number {
  return depths.reduce((a, b) => a + b, 0);
}

/** A layout with its defaults. */
function layoutOf(layout: ConvNextLayout): Required<ConvNextLayout> {
  const { depths, dims, patchSize = 4, layerScale = 1e-6, eps = 1e-6 } = layout;
  if (depths.length === 0 || depths.length !== dims.length) {
    throw new RangeError(
      `Cannot build a ConvNext as each stage must have a depth and a width: got [${depths}] and [${dims}]`,
    );
  }
  for (const [name, values] of Object.entries({ depths, dims, patchSize: [patchSize] })) {
    if (values.every((value) => Number.isInteger(value) && value >= 1)) continue;
    throw new RangeError(`Cannot build a ConvNext as ${name} must be positive integers: got [${values}]`);
  }
  return { depths, dims, patchSize, layerScale, eps };
}
