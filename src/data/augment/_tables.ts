import type { AdapterFamily } from "../../device/mod.ts";

/** Work division of augmentation, by family of adapters. */
export const AUGMENT: Readonly<
  Record<AdapterFamily, {
    /** Maximum number of pixels of a row that one invocation makes. */
    readonly run: number;
    /** Lanes that share the mean of a view, and views a workgroup (`shaders/lib/rows.wgsl`). */
    readonly mean: { readonly LANES: number; readonly ROWS: number };
  }>
> = {
  cpu: { run: 32, mean: { LANES: 1, ROWS: 8 } },
  gpu: { run: 4, mean: { LANES: 64, ROWS: 2 } },
};
