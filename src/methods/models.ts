import type { Device } from "../device/mod.ts";
import {
  type Backbone,
  type Contrastive,
  contrastive,
  type ConvNext,
  convnext,
  CONVNEXT_NAMES,
  ResNet,
  resnet,
  RESNET_NAMES,
  type Stem,
  type Vit,
  vit,
  VIT_NAMES,
} from "../nn/mod.ts";
import { type MethodName, METHODS } from "./methods.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Names that `--network` takes: torchvision's ResNets, vision transformers, ConvNeXts, and `tiny` for trying things. */
export const NETWORKS: readonly string[] = [...RESNET_NAMES, ...VIT_NAMES, ...CONVNEXT_NAMES, "tiny"];

/** Features between the layers of a predictor, a bottleneck as in SimSiam. */
const PREDICTOR = 512;

/** Settings of {@linkcode makeModel}. */
export interface ModelOptions {
  /** First layers. */
  readonly stem: Stem;
  /** Side of the images, px, for which a vision transformer gets positions; 224 by default. */
  readonly resolution?: number;
  /** Largest probability that a sample skips a branch in training, of a vision transformer or ConvNeXt; 0 by default. */
  readonly dropPath?: number;
  /** Method that the head is for, which may want normalisation and a predictor; decoupled uniformity by default. */
  readonly method?: MethodName;
  /** Whether the network is a momentum encoder or an average, which has no predictor; false by default. */
  readonly follows?: boolean;
  /** Seed of the weights; 0 by default. */
  readonly seed?: number;
  /** Device; the default one by default. */
  readonly device?: Device;
}

/**
 * The paper's model: an encoder, such as a ResNet, whose last layer gives 2048 features, and a head to 256. `tiny` has two blocks of 8 and 16
 * channels, 64 features and a head to 32.
 *
 * @throws {RangeError} If there is no such network, or images are too small for it or no multiple of its patches.
 * @throws {TypeError} If `dropPath` is given for a ResNet.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { makeModel } from "@decoupled/uniformity/train";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = makeModel("tiny", { stem: "cifar" });
 * assertEquals(model.forward(ones([3, 2, 16, 16, 3])).shape, [3, 2, 32]);
 * ```
 */
export function makeModel(network: string, options: ModelOptions): Contrastive {
  checkOptions("makeModel()", options, ["stem", "resolution", "dropPath", "method", "follows", "seed", "device"]);
  const { method = "decoupled_uniformity", follows = false, seed = 0, device } = options;
  const { norm, predictor: predicts } = METHODS[method];
  checkDropPath(network, options);
  const head = (width: number) => ({ norm, predictor: predicts && !follows ? width : undefined, seed, device });
  if (network === "tiny") {
    const layout = { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const;
    return contrastive(new ResNet(layout, { numClasses: 64, seed, device }), { projection: 32, ...head(16) });
  }
  if (!NETWORKS.includes(network)) {
    throw new RangeError(`Cannot make a model as --network must be one of ${NETWORKS.join(", ")}: got "${network}"`);
  }
  return contrastive(encoderFor(network, options), head(PREDICTOR));
}

function encoderFor(network: string, options: ModelOptions): Backbone {
  const { stem, seed, device } = options;
  if (isOf(VIT_NAMES, network)) return vitFor(network, options);
  if (isOf(CONVNEXT_NAMES, network)) return convnextFor(network, options);
  return resnet(network, { stem, seed, device });
}

function isOf(names: readonly string[], network: string): boolean {
  return names.includes(network);
}

function checkDropPath(network: string, { dropPath = 0 }: ModelOptions): void {
  if (dropPath === 0 || isOf(VIT_NAMES, network) || isOf(CONVNEXT_NAMES, network)) return;
  throw new TypeError(
    `Cannot make a model as ResNets have no stochastic depth: got --drop_path ${dropPath} for ${network}`,
  );
}

/** A ConvNeXt for images of a side that leaves a pixel. */
function convnextFor(network: string, { resolution = 224, dropPath, seed = 0, device }: ModelOptions): ConvNext {
  const model = convnext(network, { dropPath, seed, device });
  if (resolution >= model.leastSize) return model;
  model.dispose();
  throw new RangeError(
    `Cannot make a ${network} as the side of images must be at least ${model.leastSize} px: got ${resolution}`,
  );
}

/** Side of the patches of a vision transformer by its name, px. */
export function patchOf(network: string): number {
  return Number(/_(\d+)$/.exec(network)?.[1] ?? 16);
}

/** A vision transformer for images of a side, which its patches must divide. */
function vitFor(network: string, { resolution = 224, dropPath, seed = 0, device }: ModelOptions): Vit {
  const patch = patchOf(network);
  if (resolution % patch !== 0) {
    throw new RangeError(
      `Cannot make a ${network} as the side of images must be a multiple of its patches' ${patch} px: got ${resolution}`,
    );
  }
  return vit(network, { layout: { imageSize: resolution }, dropPath, seed, device });
}
