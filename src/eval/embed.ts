import { key } from "../tensor/mod.ts";
import { checkOptions, checkSizes, philox } from "../tensor/internal.ts";
import type { Features } from "../data/mod.ts";
import { checkFinite } from "./check_finite.ts";

/** Settings of {@linkcode umap}. */
export interface UmapOptions {
  /** Neighbours of a point, an integer ≥ 1; 15 by default. */
  neighbours?: number;
  /** Smallest distance of two points, in [0, 1]; 0.1 by default. */
  minDist?: number;
  /** Seed; 0 by default. */
  seed?: number;
}

/**
 * Places samples in the plane so that neighbours stay neighbours (npm's `umap-js`), repeatably.
 *
 * @param features Unit rows, `[n, dim]`.
 * @returns `[n][2]`.
 * @throws {RangeError} If there are fewer than three rows, a feature is not finite, or an option is out of range.
 * @see McInnes et al., "UMAP", arXiv:1802.03426.
 */
export async function umap(features: Features, options: UmapOptions = {}): Promise<number[][]> {
  checkOptions("run umap()", options, ["neighbours", "minDist", "seed"]);
  const { neighbours = 15, minDist = 0.1, seed = 0 } = options;
  checkSizes("run umap()", { neighbours });
  if (!(minDist >= 0 && minDist <= 1)) {
    throw new RangeError(`Cannot run umap() as minDist must be in [0, 1]: got ${minDist}`);
  }
  const { data, dim } = features;
  if (!(data.length >= 3 * dim)) {
    throw new RangeError(`Cannot run umap() as there must be at least 3 rows: got ${data.length / dim}`);
  }
  checkFinite("run umap()", features);
  const { UMAP } = await import("umap-js");
  const rows = Array.from({ length: data.length / dim }, (_, i) => Array.from(data.subarray(i * dim, (i + 1) * dim)));
  let drawn = 0;
  const random = () => philox([drawn++, 0, 0, 2], key(seed))[0] / 2 ** 32;
  return new UMAP({ nNeighbors: Math.min(neighbours, rows.length - 1), minDist, random }).fit(rows);
}
