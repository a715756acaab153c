import type { PriorRows } from "../../data/mod.ts";
import { key, shuffled } from "../../tensor/mod.ts";

/** Rounds of k-means; it ends before where nothing changes any more. */
const MOST_ROUNDS = 50;

/** A class for each row of a prior, those of equal rows the same, numbered in the order of their first rows. */
export function equalRows({ data, dim }: PriorRows): Uint32Array<ArrayBuffer> {
  const known = new Map<string, number>();
  return Uint32Array.from({ length: data.length / dim }, (_, row) => {
    const text = data.subarray(row * dim, (row + 1) * dim).join();
    const found = known.get(text) ?? known.size;
    known.set(text, found);
    return found;
  });
}

/**
 * A cluster for each row of a prior, by k-means: the first centres are rows far from each other, the first of them by the
 * seed.
 *
 * @param count Clusters that are wanted; fewer come out where there are fewer different rows.
 */
export function clustersOf({ data, dim }: PriorRows, count: number, seed: number): Uint32Array<ArrayBuffer> {
  const rows = data.length / dim;
  const centres = farRows({ data, dim }, count, shuffled(rows, key(seed, 3000))[0]!);
  let clusters = new Uint32Array(rows);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = Uint32Array.from({ length: rows }, (_, row) => nearest(data, row * dim, centres));
    if (round > 0 && next.every((cluster, row) => cluster === clusters[row])) break;
    clusters = next;
    moveCentres({ data, dim }, clusters, centres);
  }
  return clusters;
}

/** Rows chosen farthest first: each is the one farthest from those chosen before. */
function farRows({ data, dim }: PriorRows, count: number, first: number): Float64Array[] {
  const rows = data.length / dim;
  const centres: Float64Array[] = [];
  const distances = new Float64Array(rows).fill(Infinity);
  for (let next = first; centres.length < count && distances[next]! > 0;) {
    const centre = Float64Array.from(data.subarray(next * dim, (next + 1) * dim));
    centres.push(centre);
    for (let row = 0; row < rows; row++) {
      distances[row] = Math.min(distances[row]!, squaredDistance(data, row * dim, centre));
    }
    next = distances.indexOf(distances.reduce((most, distance) => Math.max(most, distance), 0));
  }
  return centres;
}

function moveCentres({ data, dim }: PriorRows, clusters: Uint32Array, centres: readonly Float64Array[]): void {
  const counts = new Uint32Array(centres.length);
  for (const cluster of clusters) {
    if (counts[cluster]!++ === 0) centres[cluster]!.fill(0);
  }
  clusters.forEach((cluster, row) => {
    const centre = centres[cluster]!;
    for (let i = 0; i < dim; i++) centre[i]! += data[row * dim + i]! / counts[cluster]!;
  });
}

function nearest(data: PriorRows["data"], start: number, centres: readonly Float64Array[]): number {
  let [best, least] = [0, Infinity];
  centres.forEach((centre, i) => {
    const distance = squaredDistance(data, start, centre);
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

function squaredDistance(data: PriorRows["data"], start: number, centre: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < centre.length; i++) sum += (data[start + i]! - centre[i]!) ** 2;
  return sum;
}
