import { type SizedViews, unpackViews, type ViewSource } from "../data/views/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { concat } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/** Views of a sample by their sizes, where there are two. */
export interface ViewSizes {
  /** Views of full size. */
  readonly global: SizedViews;
  /** Local views. */
  readonly local: SizedViews;
}

/** Sizes of a source's views; null where all have one. */
export function sizesOf({ size, local }: Pick<ViewSource, "size" | "local">, views: number): ViewSizes | null {
  return local && size !== undefined ? { global: { views, size }, local } : null;
}

/**
 * Embeds the parts of a batch, which are normalised together. Views of two sizes pass the network one after the other,
 * so that batch normalisation has the statistics of each, and stand beside one another: `[batch, views, features]`, the
 * local ones last.
 */
export function embedViews(network: Contrastive, parts: readonly Tensor[], sizes: ViewSizes | null): Tensor[] {
  if (!sizes) return parts.length === 1 ? [network.forward(parts[0]!)] : network.forwardParts(parts);
  const unpacked = parts.map((part) => unpackViews(part, sizes.global, sizes.local));
  const global = network.forwardParts(unpacked.map(([each]) => each));
  const local = network.forwardParts(unpacked.map(([, each]) => each));
  return global.map((z, i) => concat([z, local[i]!], 1));
}
