import { checkOptions } from "../tensor/internal.ts";
import { Vit, VIT_OPTIONS, type VitLayout, type VitOptions } from "./vit.ts";

/** Names of vision transformers, as `--network` spells them; `vit_small` is `vit_small_16`. */
export type VitName =
  | "vit_tiny"
  | "vit_small"
  | "vit_base"
  | "vit_tiny_32"
  | "vit_small_32"
  | "vit_base_32"
  | "vit_small_14"
  | "vit_base_14";

const [TINY, SMALL, BASE] = [192, 384, 768].map((dim) => ({ dim, depth: 12 })) as [VitLayout, VitLayout, VitLayout];

const LAYOUTS: Readonly<Record<VitName, VitLayout>> = {
  vit_tiny: TINY,
  vit_small: SMALL,
  vit_base: BASE,
  vit_tiny_32: { ...TINY, patchSize: 32 },
  vit_small_32: { ...SMALL, patchSize: 32 },
  vit_base_32: { ...BASE, patchSize: 32 },
  vit_small_14: { ...SMALL, patchSize: 14 },
  vit_base_14: { ...BASE, patchSize: 14 },
};

/** The names, in order of size. */
export const VIT_NAMES: readonly VitName[] = Object.keys(LAYOUTS) as VitName[];

/**
 * Builds a vision transformer by its name: `vit_tiny`, `vit_small` and `vit_base` with patches of 16 px, or of 32 or 14 px with
 * that at their end. `layout` changes single choices, such as `imageSize` or `pool`.
 *
 * @throws {RangeError} If there is no such name; the message lists them.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { vit } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = vit("vit_tiny", { layout: { imageSize: 32, depth: 1 }, numClasses: 10 });
 * assertEquals(model.pooledFeatures, 192);
 * ```
 */
export function vit(name: string, options: VitOptions & { layout?: Partial<VitLayout> } = {}): Vit {
  checkOptions(`build ${name}`, options, ["layout", ...VIT_OPTIONS]);
  if (!Object.hasOwn(LAYOUTS, name)) {
    throw new RangeError(`Cannot build a Vit as the name must be one of ${VIT_NAMES.join(", ")}: got "${name}"`);
  }
  const { layout, ...rest } = options;
  return new Vit({ ...LAYOUTS[name as VitName], ...layout }, rest);
}
