import { takeRows } from "../data/internal.ts";
import type { Features } from "../data/mod.ts";
import { key, shuffled } from "../tensor/mod.ts";

/** Picks some rows of features, the same ones in every run. */
export function someFeatures({ data, dim }: Features, most: number): { features: Features; kept: number[] } {
  const n = data.length / dim;
  const kept = n <= most
    ? Array.from({ length: n }, (_, i) => i)
    : [...shuffled(n, key(0, 0x736f6d)).subarray(0, most)].sort((a, b) => a - b);
  return { features: { data: takeRows(data, dim, kept), dim }, kept };
}
