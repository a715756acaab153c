import { ConvNext, CONVNEXT_OPTIONS, type ConvNextLayout, type ConvNextOptions } from "./convnext.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Names of ConvNeXts, as torchvision, timm and `--network` spell them. */
export type ConvNextName = "convnext_tiny" | "convnext_small" | "convnext_base";

const LAYOUTS: Readonly<Record<ConvNextName, ConvNextLayout>> = {
  convnext_tiny: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] },
  convnext_small: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768] },
  convnext_base: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] },
};

/** Names of the ConvNeXts, in order of size. */
export const CONVNEXT_NAMES: readonly ConvNextName[] = Object.keys(LAYOUTS) as ConvNextName[];

/**
 * Builds a ConvNeXt by its name. `layout` changes single choices, such as `layerScale`.
 *
 * @throws {RangeError} If there is no such name; the message lists them.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { convnext } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = convnext("convnext_tiny", { layout: { depths: [1, 1, 1, 1] }, numClasses: 10, dropPath: 0.1 });
 * assertEquals(model.pooledFeatures, 768);
 * ```
 */
export function convnext(
  name: string,
  options: ConvNextOptions & { layout?: Partial<ConvNextLayout> } = {},
): ConvNext {
  checkOptions(`build ${name}`, options, ["layout", ...CONVNEXT_OPTIONS]);
  if (!Object.hasOwn(LAYOUTS, name)) {
    throw new RangeError(
      `Cannot build a ConvNext as the name must be one of ${CONVNEXT_NAMES.join(", ")}: got "${name}"`,
    );
  }
  const { layout, ...rest } = options;
  return new ConvNext({ ...LAYOUTS[name as ConvNextName], ...layout }, rest);
}
