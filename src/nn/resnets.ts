import { checkOptions } from "../tensor/internal.ts";
import { ResNet, RESNET_OPTIONS, type ResNetLayout, type ResNetOptions } from "./resnet.ts";

/** Names of the ResNet family, as torchvision and `--network` spell them. */
export type ResNetName =
  | "resnet18"
  | "resnet34"
  | "resnet50"
  | "resnet101"
  | "resnet152"
  | "wide_resnet50_2"
  | "resnext50_32x4d";

/** Layouts of the ResNet family by their names. */
export const RESNET_LAYOUTS: Readonly<Record<ResNetName, ResNetLayout>> = {
  resnet18: { block: "basic", layers: [2, 2, 2, 2] },
  resnet34: { block: "basic", layers: [3, 4, 6, 3] },
  resnet50: { block: "bottleneck", layers: [3, 4, 6, 3] },
  resnet101: { block: "bottleneck", layers: [3, 4, 23, 3] },
  resnet152: { block: "bottleneck", layers: [3, 8, 36, 3] },
  wide_resnet50_2: { block: "bottleneck", layers: [3, 4, 6, 3], widthPerGroup: 128 },
  resnext50_32x4d: { block: "bottleneck", layers: [3, 4, 6, 3], groups: 32, widthPerGroup: 4 },
};

/** The names in order of size. */
export const RESNET_NAMES: readonly ResNetName[] = Object.keys(RESNET_LAYOUTS) as ResNetName[];

/**
 * Builds a network by its torchvision name.
 *
 * @throws {RangeError} If there is no such name; the message lists them.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { resnet } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = resnet("resnet18", { stem: "cifar", numClasses: 10 }).eval();
 * assertEquals(model.forward(ones([1, 8, 8, 3])).shape, [1, 10]);
 * ```
 */
export function resnet(name: string, options: ResNetOptions = {}): ResNet {
  checkOptions(`build ${name}`, options, RESNET_OPTIONS);
  if (!Object.hasOwn(RESNET_LAYOUTS, name)) {
    throw new RangeError(`Cannot build a ResNet as the name must be one of ${RESNET_NAMES.join(", ")}: got "${name}"`);
  }
  return new ResNet(RESNET_LAYOUTS[name as ResNetName], options);
}

/**
 * torchvision's `resnet18`.
 *
 * @example Usage
 * ```ts
 * import { Device, noGrad, scope, zeros } from "@decoupled/uniformity";
 * import { resnet18 } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = resnet18({ stem: "cifar", numClasses: 16 }).eval();
 * using _ = scope();
 * assertEquals(noGrad(() => model.forward(zeros([1, 8, 8, 3]))).shape, [1, 16]);
 * ```
 */
export function resnet18(options: ResNetOptions = {}): ResNet {
  return resnet("resnet18", options);
}

/** torchvision's `resnet34`. */
export function resnet34(options: ResNetOptions = {}): ResNet {
  return resnet("resnet34", options);
}

/** torchvision's `resnet50`. */
export function resnet50(options: ResNetOptions = {}): ResNet {
  return resnet("resnet50", options);
}

/** torchvision's `resnet101`. */
export function resnet101(options: ResNetOptions = {}): ResNet {
  return resnet("resnet101", options);
}

/** torchvision's `resnet152`. */
export function resnet152(options: ResNetOptions = {}): ResNet {
  return resnet("resnet152", options);
}

/** torchvision's `wide_resnet50_2`. */
export function wideResnet50x2(options: ResNetOptions = {}): ResNet {
  return resnet("wide_resnet50_2", options);
}

/** torchvision's `resnext50_32x4d`. */
export function resnext50(options: ResNetOptions = {}): ResNet {
  return resnet("resnext50_32x4d", options);
}
