// Moments of a result's rows per channel that a product leaves on the way, so that batch normalisation need not read the
// result for them.
import type { Device } from "../../device/mod.ts";
import { lib_moments, lib_moments_none, lib_moments_store } from "../../shaders/gen.ts";
import { keep, Tensor } from "../../tensor/mod.ts";

/** A side output of an op: it stays null where the chosen form of the op does not leave moments. */
export interface SideMoments {
  /** `[slices, 3, c]`: mean, sum of squared deviations and count of each slice of rows. */
  moments: Tensor | null;
}

/** WGSL to join with a form of a product. */
export function momentsCode(
  wanted: boolean,
): readonly [typeof lib_moments, typeof lib_moments_store | typeof lib_moments_none] {
  return [lib_moments, wanted ? lib_moments_store : lib_moments_none];
}

/** What a program's form says of it. */
export function momentsNote(wanted: boolean): string {
  return wanted ? " moments:fused" : "";
}

/** Makes room for the moments of `slices` slices; they outlive scopes. */
export function blockMoments(side: SideMoments, device: Device, slices: number, channels: number): Tensor {
  return side.moments = keep(new Tensor(device, [slices, 3, channels]));
}
