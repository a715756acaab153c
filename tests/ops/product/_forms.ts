// The bodies of products that the adapter at hand can run in a reasonable time.
import type { Device } from "../../../src/device/mod.ts";
import type { ProductFormName } from "../../../src/ops/product/forms.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

/** Names of forms of `matmul`: all, but on the lavapipe of Debian 12, which lacks subgroups and takes minutes to compile tiles. */
export function formsOn(device: Device): readonly ProductFormName[] {
  const { family } = device.info;
  const { readsTextures, subgroupSize } = policyOf(device);
  const tiles = ["tile64of4x8", "tile64of8x4", "tile64", "tile64x128", "tile128x64", "tile128"] as const;
  if (family === "gpu") return ["rows", ...tiles];
  if (subgroupSize !== 8) return ["rows"];
  const textures = readsTextures ? ["subgroupTexture"] as const : [];
  return ["subgroup", "subgroup32", "subgroupNarrow", ...textures, "rows", ...tiles];
}

/** Those of the forms that differ in more than their sizes: of the tiles one. */
export function distinct(forms: readonly ProductFormName[]): readonly ProductFormName[] {
  return forms.filter((form) => form === "tile64" || form !== "subgroup32" && !form.startsWith("tile"));
}

/**
 * Those that differ, and of each kind one of another size: the others have the same lines with other sizes, which
 * `matmul_test.ts` runs, and a CPU adapter compiles each for seconds.
 */
export function typical(forms: readonly ProductFormName[]): readonly ProductFormName[] {
  return forms.filter((form) => distinct([form]).length > 0 || form === "subgroup32" || form === "tile128x64");
}
