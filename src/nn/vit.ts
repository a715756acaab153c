import type { Device } from "../device/mod.ts";
import { add, broadcastTo, concat, type GeluOptions, interpolate, mean, reshape, slice } from "../ops/mod.ts";
import { key, normal, type Tensor, tidy } from "../tensor/mod.ts";
import { Backbone } from "./backbone.ts";
import { Conv2d } from "./conv2d.ts";
import { dropPathOf } from "./drop_path.ts";
import { LayerNorm } from "./layer_norm.ts";
import type { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Sequential } from "./sequential.ts";
import { Parameter } from "./parameter.ts";
import { timmLinear } from "./timm_layers.ts";
import { VitBlock } from "./vit_block.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Shape of a {@linkcode Vit}. */
export interface VitLayout {
  /** Features of a token. */
  readonly dim: number;
  /** Blocks. */
  readonly depth: number;
  /** Heads, which divide `dim` into multiples of 4; one for every 64 features by default. */
  readonly heads?: number;
  /** Features inside a block's MLP; 4 · dim by default. */
  readonly mlpDim?: number;
  /** Side of a patch, px; 16 by default. */
  readonly patchSize?: number;
  /** Side of the images that the positions are for, px; 224 by default. */
  readonly imageSize?: number;
  /** Features that are taken: the class token's (the default), or the mean of the patches'. */
  readonly pool?: "token" | "mean";
  /** Presence of a class token; with `pool: "token"` there is one. True by default. */
  readonly classToken?: boolean;
  /** Presence of a position for the class token; true by default. */
  readonly classPosition?: boolean;
  /** DINOv2's registers, tokens that nothing reads; 0 by default. */
  readonly registers?: number;
  /** DINOv2's factor of each branch at first; none by default. */
  readonly layerScale?: number | null;
  /** CLIP's normalisation before the blocks; false by default. */
  readonly preNorm?: boolean;
  /** Biases of the patches' layer and of `head`; true by default, CLIP has none. */
  readonly bias?: boolean;
  /** GELU's form; `"none"`, the exact one, by default, CLIP has `"sigmoid"`. */
  readonly activation?: NonNullable<GeluOptions["approximate"]>;
  /** Antialiasing of interpolated positions; true by default, DINOv2 without registers has none. */
  readonly antialias?: boolean;
  /** Patches added to those wanted in the scale of interpolated positions; 0 by default, DINOv2 without registers has 0.1. */
  readonly positionOffset?: number;
  /** Term added to the variance in layer normalisation; 1e-6 by default, CLIP has 1e-5. */
  readonly eps?: number;
}

/** Names of the settings of {@linkcode Vit}. */
export const VIT_OPTIONS = ["numClasses", "inChannels", "dropPath", "checkpoint", "seed", "device"] as const;

/** Settings of a {@linkcode Vit}. */
export interface VitOptions {
  /** Outputs of the last linear layer `head`; 2048 by default, as the paper's encoder. */
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

class PatchEmbed extends Module {
  readonly proj: Conv2d;

  constructor(proj: Conv2d) {
    super();
    this.proj = proj;
  }

  override forward(x: Tensor): Tensor<"f32"> {
    return this.proj.forward(x);
  }
}

/**
 * A vision transformer with timm's names: `cls_token`, `pos_embed`, `patch_embed.proj`, `blocks.0.attn.qkv` …, `norm`, `head`.
 * Images of another size than the positions are for get interpolated ones (bicubic, antialiased, as timm's).
 *
 * @example Usage
 * ```ts
 * import { Device, noGrad, scope, zeros } from "@decoupled/uniformity";
 * import { Vit } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = new Vit({ dim: 16, depth: 1, heads: 2, patchSize: 4, imageSize: 8 }, { numClasses: 5 }).eval();
 * using _ = scope();
 * assertEquals(noGrad(() => model.forward(zeros([2, 8, 8, 3]))).shape, [2, 5]);
 * ```
 *
 * @see Dosovitskiy et al., arXiv:2010.11929; for registers and layer scale Oquab et al., arXiv:2304.07193, and Darcet et
 *   al., arXiv:2309.16588; for CLIP Radford et al., arXiv:2103.00020.
 */
export class Vit extends Backbone {
  /** Shape of the network, with the defaults. */
  readonly layout: Readonly<Required<VitLayout>>;
  /** Channels of the images. */
  readonly inChannels: number;
  /** Last layer: pooled features to `numClasses`; `head` in the state. */
  readonly fc: Linear;
  #clsToken: Parameter | null = null;
  #registerTokens: Parameter | null = null;
  #posEmbed: Parameter;
  #patchEmbed: PatchEmbed;
  #normPre: LayerNorm | null;
  #blocks: Sequential;
  #norm: LayerNorm;

  /** Builds a network; {@linkcode vit} knows the usual layouts. */
  constructor(layout: VitLayout, options: VitOptions = {}) {
    super();
    checkOptions("make Vit", options, VIT_OPTIONS);
    const whole = layoutOf(layout);
    const { dim, depth, heads, patchSize, imageSize, registers, preNorm, classToken, classPosition } = whole;
    const { mlpDim, activation, layerScale, bias, eps } = whole;
    const { numClasses = 2048, inChannels = 3, dropPath = 0, checkpoint = false, seed = 0, device } = options;
    this.layout = whole;
    this.inChannels = inChannels;
    const token = (count: number, at: number) =>
      new Parameter(normal([1, count, dim], { key: key(seed, depth, at), std: 0.02, device }));
    if (classToken) this.#clsToken = token(1, 0);
    if (registers > 0) this.#registerTokens = token(registers, 1);
    this.#posEmbed = token((imageSize / patchSize) ** 2 + (classPosition ? 1 : 0), 2);
    const patch = { kernelSize: patchSize, stride: patchSize, key: key(seed, depth, 3), bias, device };
    this.#patchEmbed = new PatchEmbed(new Conv2d({ inChannels, outChannels: dim, ...patch }));
    this.#normPre = preNorm ? new LayerNorm({ numFeatures: dim, eps, device }) : null;
    const shared = { dim, heads, mlpDim, eps, activation, layerScale, seed, device };
    const blocks = Array.from({ length: depth }, (_, index) => {
      return new VitBlock({ ...shared, index, dropPath: dropPathOf(dropPath, index, depth) });
    });
    this.#blocks = checkpoint ? Sequential.checkpointed(...blocks) : new Sequential(...blocks);
    this.#norm = new LayerNorm({ numFeatures: dim, eps, device });
    this.fc = timmLinear(dim, numClasses, key(seed, depth, 4), device, bias);
  }

  /** Pooled features: `[n, h, w, c]` to `[n, pooledFeatures]`; h and w are multiples of the patch's side. */
  override pooled(x: Tensor): Tensor<"f32"> {
    return tidy(() => {
      const tokens = this.#blocks.forward(this.#embed(x));
      const [n, count, dim] = tokens.shape as [number, number, number];
      if (this.layout.pool === "token") {
        return this.#norm.forward(reshape(slice(tokens, [null, { stop: 1 }]), [n, dim]));
      }
      const others = (this.#clsToken ? 1 : 0) + (this.#registerTokens?.shape[1] ?? 0);
      return this.#norm.forward(mean(slice(tokens, [null, { start: others, stop: count }]), { dim: 1 }));
    });
  }

  /** Maps images `[n, h, w, c]` to `[n, numClasses]`. */
  override forward(x: Tensor): Tensor<"f32"> {
    return tidy(() => this.fc.forward(this.pooled(x)));
  }

  /** Class token, registers and patches with their positions, `[n, tokens, dim]`. */
  #embed(x: Tensor): Tensor {
    const { patchSize } = this.layout;
    const [n, h = 0, w = 0] = x.shape as [number, number, number];
    if (x.rank !== 4 || h === 0 || w === 0 || h % patchSize !== 0 || w % patchSize !== 0) {
      throw new TypeError(
        `Cannot encode images by a Vit as x must be [n, h, w, c] with sides that are multiples of ${patchSize}: ` +
          `got [${x.shape}]`,
      );
    }
    const grid = this.#patchEmbed.forward(x);
    const dim = grid.shape[3]!;
    const patches = reshape(grid, [n, -1, dim]);
    const spread = (token: Tensor<"f32">) => broadcastTo(token, [n, token.shape[1]!, dim]);
    const { cls, places } = this.#positions(h / patchSize, w / patchSize);
    const parts = [add(patches, places)];
    if (this.#registerTokens) parts.unshift(spread(this.#registerTokens));
    if (this.#clsToken) parts.unshift(spread(cls ? add(this.#clsToken, cls) : this.#clsToken));
    const tokens = parts.length > 1 ? concat(parts, 1) : parts[0]!;
    return this.#normPre ? this.#normPre.forward(tokens) : tokens;
  }

  /** Positions of the class token, where it has one, and of a grid of patches. */
  #positions(rows: number, columns: number): { cls: Tensor | null; places: Tensor } {
    const [, , dim] = this.#posEmbed.shape as [number, number, number];
    const { classPosition, antialias, imageSize, patchSize, positionOffset } = this.layout;
    const side = imageSize / patchSize;
    const first = classPosition ? 1 : 0;
    const cls = first ? slice(this.#posEmbed, [null, { stop: 1 }]) : null;
    const own = first ? slice(this.#posEmbed, [null, { start: 1 }]) : this.#posEmbed;
    if (rows === side && columns === side) return { cls, places: own };
    const grid = reshape(own, [1, side, side, dim]);
    const [down, across] = [rows, columns].map((count) => (count + positionOffset) / side) as [number, number];
    const scaleFactor = positionOffset === 0 ? undefined : [down, across] as const;
    const wanted = interpolate(grid, { size: [rows, columns], scaleFactor, mode: "bicubic", antialias });
    return { cls, places: reshape(wanted, [1, rows * columns, dim]) };
  }

  /** timm's names, in timm's order. */
  override *fields(): IterableIterator<[string, unknown]> {
    yield ["cls_token", this.#clsToken];
    yield ["reg_token", this.#registerTokens];
    yield ["pos_embed", this.#posEmbed];
    yield ["patch_embed", this.#patchEmbed];
    yield ["norm_pre", this.#normPre];
    yield ["blocks", this.#blocks];
    yield [this.layout.pool === "mean" ? "fc_norm" : "norm", this.#norm];
    yield ["head", this.fc];
  }
}

/** A layout with its defaults. */
function layoutOf(layout: VitLayout): Required<VitLayout> {
  const { classToken = true, classPosition = true, dim } = layout;
  const given = Object.fromEntries(Object.entries(layout).filter(([, value]) => value !== undefined)) as VitLayout;
  const whole: Required<VitLayout> = {
    ...{ heads: Math.max(1, dim / 64), mlpDim: 4 * dim, patchSize: 16, imageSize: 224, pool: "token", registers: 0 },
    ...{ layerScale: null, preNorm: false, bias: true, activation: "none", antialias: true, eps: 1e-6 },
    positionOffset: 0,
    ...given,
    classToken,
    classPosition: classToken && classPosition,
  };
  checkLayout(whole);
  return whole;
}

function checkLayout(
  { dim, depth, heads, patchSize, imageSize, pool, classToken }: Required<VitLayout>,
): void {
  for (const [name, value] of Object.entries({ dim, depth, heads, patchSize, imageSize })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(`Cannot build a Vit as ${name} must be a positive integer: current value is ${value}`);
  }
  if (dim % (4 * heads) !== 0) {
    throw new RangeError(
      `Cannot build a Vit as heads must divide dim into multiples of 4: got ${dim} and ${heads} heads`,
    );
  }
  if (imageSize % patchSize !== 0) {
    throw new RangeError(
      `Cannot build a Vit as imageSize must be a multiple of patchSize: got ${imageSize} and ${patchSize}`,
    );
  }
  if (pool !== "mean" && !(pool === "token" && classToken)) {
    throw new RangeError(
      `Cannot build a Vit as pool must be "mean", or "token" with a class token: got "${pool}"${
        classToken ? "" : " without one"
      }`,
    );
  }
}
