// Moments of a result's rows per channel that a product leaves on the way, so that batch normalisation need not read the
// result for them.
import type { Device } from "../../device/mod.ts";
import { lib_moments, lib_moments_none, lib_moments_store } from "../../shaders/lib.ts";
import { keep, Tensor } from "../../tensor/mod.ts";

/** A side output of an op: it stays empty where the chosen form of the op does not leave moments. */
export class SideMoments {
  #moments: Tensor | null = null;

  /** Mean, sum of squared deviations and count of each slice of rows, `[slices, 3, c]`. */
  get moments(): Tensor | null {
    return this.#moments;
  }

  /** Makes room for the moments of `slices` slices; they outlive scopes. */
  open(device: Device, slices: number, channels: number): Tensor {
    return this.#moments = keep(new Tensor(device, [slices, 3, channels]));
  }
}

/** WGSL to join with a form of a product. */
export function momentsCode(
  wanted: boolean,
): readonly [typeof lib_moments, typeof lib_moments_store | typeof lib_moments_none] {
  return [lib_moments, wanted ? lib_moments_store : lib_moments_none];
}

/** Note on moments in the name of a program's form. */
export function momentsNote(wanted: boolean): string {
  return wanted ? " moments:fused" : "";
}
