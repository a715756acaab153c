import { key } from "../tensor/mod.ts";
import { checkDraws, drawCounts, quantile } from "./_bootstrap.ts";
import { studentBound } from "./_student.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Scores of each query (0 or 1 for a hit, or any number), one row of the same queries for each seed. */
export type SeedScores = readonly ArrayLike<number>[];

/** A mean and where it may lie. */
export interface MeanInterval {
  /** Mean over queries and seeds. */
  readonly mean: number;
  /** Lower end of the interval. */
  readonly low: number;
  /** Upper end of the interval. */
  readonly high: number;
  /** Things that were drawn: queries, or groups of them. */
  readonly units: number;
  /** Seeds. */
  readonly seeds: number;
}

/** Verdict of an interval on the first of two: larger, smaller, or neither. */
export type Verdict = "better" | "worse" | "not told apart";

/** Difference of two scores, the first minus the second, with its interval and verdict. */
export interface PairedDifference extends MeanInterval {
  /** `"better"` where the whole interval is above 0, `"worse"` where it is below, else `"not told apart"`. */
  readonly verdict: Verdict;
}

/** Options of {@linkcode meanInterval} and {@linkcode pairedDifference}. */
export interface IntervalOptions {
  /**
   * Group of each query, for queries that belong together, such as the two drawings of one emoji, `[queries]`; each is
   * alone by default.
   */
  readonly groups?: ArrayLike<number>;
  /** Draws of the bootstrap; 2000 by default. */
  readonly samples?: number;
  /** Probability of the interval; 0.95 by default. */
  readonly level?: number;
  /** Seed of the draws; 0 by default. */
  readonly seed?: number;
}

/**
 * Mean of scores with an interval for other queries and other seeds.
 *
 * Over the queries it is a percentile bootstrap, queries of a group being drawn together; over the seeds, of which there
 * are few, Student's. Their half widths are added as the root of the sum of squares. With one seed the interval is
 * for that seed only.
 *
 * @param scores For each seed the scores of the same queries, `[queries]`.
 * @throws {TypeError} If seeds have different queries, or there is not a group for each query.
 * @throws {RangeError} If there are fewer than two queries or groups, a score is not finite, or an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { meanInterval } from "@decoupled/uniformity/eval";
 * import { assert } from "@std/assert";
 *
 * const { mean, low, high } = meanInterval([[1, 0, 1, 1, 0, 1, 1, 1]]); // one seed, eight queries
 * assert(mean === 0.75 && low < 0.75 && high > 0.75 && high <= 1);
 * ```
 *
 * @see Efron and Tibshirani, "An Introduction to the Bootstrap", chapter 13.
 */
export function meanInterval(scores: SeedScores, options: IntervalOptions = {}): MeanInterval {
  checkOptions("compute meanInterval()", options, ["groups", "samples", "level", "seed"]);
  return interval("meanInterval", scores, options);
}

/**
 * Computes how much one of two encoders scores above another on the same queries, with a paired interval and a verdict.
 *
 * The interval is that of {@linkcode meanInterval} for the differences, query by query and seed by seed, so that what both
 * find easy or hard does not widen it.
 *
 * @param first Scores of the first, `[queries]` for each seed.
 * @param second Scores of the second, of the same queries and seeds.
 * @throws {TypeError} If the two, or seeds, have different queries, or there is not a group for each query.
 * @throws {RangeError} If there are fewer than two queries or groups, a score is not finite, or an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { pairedDifference } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * const before = Array.from({ length: 100 }, (_, i) => Number(i % 2 === 0));
 * const after = before.map((hit, i) => i % 10 === 1 ? 1 : hit); // ten of a hundred more
 * const { mean, verdict } = pairedDifference([after], [before]);
 * assertEquals([mean, verdict], [0.1, "better"]);
 * ```
 */
export function pairedDifference(
  first: SeedScores,
  second: SeedScores,
  options: IntervalOptions = {},
): PairedDifference {
  checkOptions("compute pairedDifference()", options, ["groups", "samples", "level", "seed"]);
  if (first.length !== second.length || first.some(({ length }, i) => length !== second[i]!.length)) {
    throw new TypeError(
      `Cannot compute pairedDifference() as both must have the same seeds and queries: got ${shapeOf(first)} and ` +
        shapeOf(second),
    );
  }
  const differences = first.map((scores, i) => Float64Array.from(scores, (score, j) => score - second[i]![j]!));
  const found = interval("pairedDifference", differences, options);
  return { ...found, verdict: found.low > 0 ? "better" : found.high < 0 ? "worse" : "not told apart" };
}

function interval(op: string, scores: SeedScores, options: IntervalOptions): MeanInterval {
  const { samples = 2000, level = 0.95, seed = 0 } = options;
  checkDraws(op, samples, level);
  check(op, scores, options.groups);
  const units = sumsOfUnits(scores, options.groups);
  if (units.sums.length < 2) {
    throw new RangeError(
      `Cannot compute ${op}() as there must be two queries or groups at least: got ${units.sums.length}`,
    );
  }
  const mean = meanOf(scores.map((row) => meanOf(Array.from(row))));
  const draws = bootstrap(units, samples, seed);
  const tail = (1 - level) / 2;
  const overSeeds = seedHalfWidth(scores, level);
  const [below, above] = [mean - quantile(draws, tail), quantile(draws, 1 - tail) - mean];
  const [low, high] = [mean - Math.hypot(below, overSeeds), mean + Math.hypot(above, overSeeds)];
  return { mean, low, high, units: units.sums.length, seeds: scores.length };
}

/**
 * Units that are drawn: for each query or group its scores' sum, over the seeds their mean, and how many queries it
 * has.
 */
interface Units {
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
}

function sumsOfUnits(scores: SeedScores, groups?: ArrayLike<number>): Units {
  const unitOf = new Map<number, number>();
  const units = Array.from(scores[0]!, (_, i) => {
    const group = groups ? groups[i]! : i;
    if (!unitOf.has(group)) unitOf.set(group, unitOf.size);
    return unitOf.get(group)!;
  });
  const sums = new Float64Array(unitOf.size);
  const sizes = new Float64Array(unitOf.size);
  units.forEach((unit, i) => {
    sizes[unit]!++;
    sums[unit]! += meanOf(scores.map((row) => row[i]!));
  });
  return { sums, sizes };
}

/** Means of drawn units, ascending. */
function bootstrap({ sums, sizes }: Units, samples: number, seed: number): Float64Array {
  const random = key(seed, 0x70616972);
  const counts = new Uint32Array(sums.length);
  const means = new Float64Array(samples);
  for (let draw = 0; draw < samples; draw++) {
    drawCounts(counts, draw, random);
    let [total, queries] = [0, 0];
    for (let i = 0; i < counts.length; i++) {
      total += counts[i]! * sums[i]!;
      queries += counts[i]! * sizes[i]!;
    }
    means[draw] = total / queries;
  }
  return means.sort();
}

/** Half width of Student's interval of the seeds' means; 0 for one seed. */
function seedHalfWidth(scores: SeedScores, level: number): number {
  const n = scores.length;
  if (n < 2) return 0;
  const means = scores.map((row) => meanOf(Array.from(row)));
  const centre = meanOf(means);
  const variance = means.reduce((sum, mean) => sum + (mean - centre) ** 2, 0) / (n - 1);
  return studentBound(level, n - 1) * Math.sqrt(variance / n);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function check(op: string, scores: SeedScores, groups?: ArrayLike<number>): void {
  if (scores.length === 0) throw new RangeError(`Cannot compute ${op}() as there must be a seed: got none`);
  const queries = scores[0]!.length;
  if (scores.some(({ length }) => length !== queries)) {
    throw new TypeError(`Cannot compute ${op}() as all seeds must have the same queries: got ${shapeOf(scores)}`);
  }
  if (groups && groups.length !== queries) {
    throw new TypeError(
      `Cannot compute ${op}() as there must be a group for each query: got ${groups.length} for ${queries}`,
    );
  }
  const none = groups ? Array.prototype.findIndex.call(groups, Number.isNaN) : -1;
  if (none >= 0) {
    throw new RangeError(`Cannot compute ${op}() as every group must be a number: got NaN at query ${none}`);
  }
  scores.forEach((row, seed) => {
    const at = Array.from(row).findIndex((score) => !Number.isFinite(score));
    if (at < 0) return;
    throw new RangeError(
      `Cannot compute ${op}() as every score must be finite: got ${row[at]} at query ${at} of seed ${seed}`,
    );
  });
}

function shapeOf(scores: SeedScores): string {
  return `[${scores.map(({ length }) => length).join(", ")}] queries`;
}
