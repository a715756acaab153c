import type { Device } from "../device/mod.ts";
import { type Contrastive, contrastive, ResNet, resnet, RESNET_NAMES, type Stem } from "../nn/mod.ts";

/** Names that `--network` takes: torchvision's ResNets, and `tiny` for trying things. */
export const NETWORKS: readonly string[] = [...RESNET_NAMES, "tiny"];

/** Settings of {@linkcode makeModel}. */
export interface ModelOptions {
  /** First layers. */
  readonly stem: Stem;
  /** Seed of the weights; 0 by default. */
  readonly seed?: number;
  /** Device; the default one by default. */
  readonly device?: Device;
}

/**
 * The paper's model: a ResNet whose last layer gives 2048 features, and a head to 256. `tiny` has two blocks of 8 and 16
 * channels, 64 features and a head to 32.
 *
 * @throws {RangeError} If there is no such network.
 */
export function makeModel(network: string, options: ModelOptions): Contrastive {
  const { stem, seed = 0, device } = options;
  if (network === "tiny") {
    const layout = { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const;
    return contrastive(new ResNet(layout, { numClasses: 64, seed, device }), { projection: 32, seed, device });
  }
  if (!NETWORKS.includes(network)) {
    throw new RangeError(`Cannot make a model as --network must be one of ${NETWORKS.join(", ")}: got "${network}"`);
  }
  return contrastive(resnet(network, { stem, seed, device }), { seed, device });
}
