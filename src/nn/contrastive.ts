import type { Device } from "../device/mod.ts";
import { relu, reshape } from "../ops/mod.ts";
import { key, type Tensor, tidy } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { Linear } from "./linear.ts";
import { BatchNorm2d } from "./batch_norm2d.ts";
import { Lambda } from "./lambda.ts";
import { Module } from "./module.ts";
import { Sequential } from "./sequential.ts";
import type { Backbone } from "./backbone.ts";

/** Settings of {@linkcode contrastive}. */
export interface ContrastiveOptions {
  /** Features of the projection; 256 by default. */
  projection?: number;
  /** Features between the two linear layers; those of the encoder by default. */
  hidden?: number;
  /** Whether the head normalises between its linear layers, as SimCLR, BYOL, SimSiam, Barlow Twins and VICReg have it; false by default. */
  norm?: boolean;
  /** Features between the linear layers of a predictor on top of the head, as BYOL has one; none by default. */
  predictor?: number;
  /** Seed of the head's weights; 0 by default. */
  seed?: number;
  /** Device; the default one by default. */
  device?: Device;
}

/**
 * An encoder and a projection head: `head = ReLU, Linear, ReLU, Linear`, without normalisation, on top of the encoder's
 * own last linear layer. State names: `encoder.*`, `head.1.*`, `head.3.*`. With `norm` a batch normalisation follows the
 * first of its linear layers (`head.2.*`; the second is `head.4.*`), with `predictor` there is one more part,
 * `Linear, BatchNorm, ReLU, Linear` (`predictor.*`).
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { contrastive, resnet18 } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = contrastive(resnet18({ stem: "cifar", numClasses: 16 }), { projection: 8 });
 * const z = model.forward(ones([2, 2, 8, 8, 3])); // two images, two views each
 * assertEquals(z.shape, [2, 2, 8]);
 * ```
 */
export class Contrastive extends Module {
  /** Network that is kept after pre-training; the representation is its output. */
  readonly encoder: Backbone;
  /** Projection head, through which the loss sees the representation. */
  readonly head: Sequential;
  /** Module that predicts the projection of another view from that of one; null without. */
  readonly predictor: Sequential | null = null;

  /** Puts a new head on an encoder. */
  constructor(encoder: Backbone, options: ContrastiveOptions = {}) {
    super();
    checkOptions("make Contrastive", options, ["projection", "hidden", "norm", "predictor", "seed", "device"]);
    const features = encoder.fc.weight.shape[1]!;
    const { projection = 256, hidden = features, norm = false, predictor, seed = 0, device } = options;
    const layer = (inFeatures: number, outFeatures: number, n: number) =>
      new Linear({ inFeatures, outFeatures, key: key(seed, n), device });
    const normalised = (numFeatures: number) => [new BatchNorm2d({ numFeatures, device }), new Lambda(relu)];
    this.encoder = encoder;
    this.head = new Sequential(
      new Lambda(relu),
      layer(features, hidden, 1000),
      ...norm ? normalised(hidden) : [new Lambda(relu)],
      layer(hidden, projection, 1001),
    );
    if (predictor === undefined) return;
    this.predictor = new Sequential(
      layer(projection, predictor, 1002),
      ...normalised(predictor),
      layer(predictor, projection, 1003),
    );
  }

  /**
   * Predicts, from the projections `[batch, views, features]` of the parts of a batch, those of other views.
   *
   * @throws {TypeError} If there is no predictor.
   */
  predictParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    const { predictor } = this;
    if (!predictor) throw new TypeError("Cannot predictParts() as the model must have a predictor: got none");
    return tidy(() => {
      const rows = parts.map((z) => reshape(z, [-1, z.shape.at(-1)!]));
      return predictor.forwardParts(rows).map((p, i) => reshape(p, parts[i]!.shape));
    });
  }

  /**
   * Embeds views: `[batch, views, h, w, c]` to `[batch, views, projection]`, or `[n, h, w, c]` to `[n, projection]`.
   *
   * @throws {TypeError} If `x` is of another rank.
   */
  override forward(x: Tensor): Tensor<"f32"> {
    return this.forwardParts([x])[0]!;
  }

  /** Embeds the views of a batch in parts, which are normalised together. */
  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    const wrong = parts.find(({ rank }) => rank !== 4 && rank !== 5);
    if (wrong) {
      throw new TypeError(
        `Cannot embed views as x must be [batch, views, h, w, c] or [n, h, w, c]: got [${wrong.shape}]`,
      );
    }
    return tidy(() => {
      const images = parts.map((x) => x.rank === 5 ? reshape(x, [-1, ...x.shape.slice(2)]) : x);
      const embedded = this.head.forwardParts(this.encoder.forwardParts(images));
      return embedded.map((z, i) => {
        const { rank, shape: [batch, views] } = parts[i]!;
        return rank === 5 ? reshape(z, [batch!, views!, z.shape[1]!]) : z;
      });
    });
  }
}

/**
 * The paper's model: an encoder and its projection head.
 *
 * @example Usage
 * ```ts
 * import { Device, noGrad, scope, zeros } from "@decoupled/uniformity";
 * import { contrastive, resnet18 } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = contrastive(resnet18({ stem: "cifar", numClasses: 32 }), { projection: 8 }).eval();
 * using _ = scope();
 * assertEquals(noGrad(() => model.forward(zeros([1, 2, 8, 8, 3]))).shape, [1, 2, 8]);
 * ```
 *
 * @see Dufumier et al., arXiv:2206.01646.
 */
export function contrastive(encoder: Backbone, options: ContrastiveOptions = {}): Contrastive {
  return new Contrastive(encoder, options);
}
