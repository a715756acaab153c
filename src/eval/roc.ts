import { checkOptions } from "../tensor/internal.ts";
import { key } from "../tensor/mod.ts";
import { checkDraws, drawCounts, quantile } from "./_bootstrap.ts";
import { isScore, scoreError } from "./scores.ts";

/** Area under a ROC curve with its uncertainty. */
export interface AucInterval {
  /** Area, in [0, 1]; 0.5 is chance. */
  readonly auc: number;
  /** Lower end of the interval. */
  readonly low: number;
  /** Upper end of the interval. */
  readonly high: number;
}

/** Options of {@linkcode bootstrapAuc}. */
export interface BootstrapOptions {
  /** Draws; 1000 by default. */
  samples?: number;
  /** Share of the draws inside the interval; 0.95 by default. */
  level?: number;
  /** Seed; 0 by default. */
  seed?: number;
}

/** Positions in ascending order of score, in groups of equal scores. */
interface Ranking {
  readonly order: Uint32Array;
  /** End of the group of each position of the order. */
  readonly ends: Uint32Array;
}

/**
 * Area under the ROC curve: the share of pairs of a positive and a negative that are in order, ties counting half.
 *
 * @param positive Whether each sample is positive, `[n]` (0 or 1, or booleans).
 * @param scores Scores `[n]`, larger for positives, not NaN.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there is no positive, no negative, one that is neither (NaN), or a score is NaN.
 *
 * @example Usage
 * ```ts
 * import { rocAuc } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 0.75);
 * ```
 */
export function rocAuc(positive: ArrayLike<number | boolean>, scores: ArrayLike<number>): number {
  check("rocAuc", positive, scores);
  return areaOf(rank(scores), positive, new Uint32Array(scores.length).fill(1));
}

/**
 * Computes {@linkcode rocAuc} with a percentile interval of the bootstrap: samples are drawn with replacement; draws
 * without a positive or a negative are drawn again.
 *
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there is no positive, no negative, one that is neither (NaN), or a score is NaN.
 *
 * @example Usage
 * ```ts
 * import { bootstrapAuc } from "@decoupled/uniformity/eval";
 * import { assert } from "@std/assert";
 *
 * const { auc, low, high } = bootstrapAuc([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.2, 0.7]);
 * assert(low <= auc && auc <= high);
 * ```
 *
 * @see Efron and Tibshirani, "An Introduction to the Bootstrap", chapter 13.
 */
export function bootstrapAuc(
  positive: ArrayLike<number | boolean>,
  scores: ArrayLike<number>,
  options: BootstrapOptions = {},
): AucInterval {
  checkOptions("compute bootstrapAuc()", options, ["samples", "level", "seed"]);
  const { samples = 1000, level = 0.95, seed = 0 } = options;
  checkDraws("bootstrapAuc", samples, level);
  const auc = rocAuc(positive, scores);
  const ranking = rank(scores);
  const areas = new Float64Array(samples);
  const counts = new Uint32Array(scores.length);
  const random = key(seed, 0x626f6f74);
  for (let draw = 0, attempt = 0; draw < samples; attempt++) {
    drawCounts(counts, attempt, random);
    const area = areaOf(ranking, positive, counts);
    if (!Number.isNaN(area)) areas[draw++] = area;
  }
  areas.sort();
  const tail = (1 - level) / 2;
  return { auc, low: quantile(areas, tail), high: quantile(areas, 1 - tail) };
}

/** A class against the others: which samples are positive, and their scores. */
export interface ClassScores {
  /** Whether each sample is of the class. */
  readonly positive: ArrayLike<boolean>;
  /** Scores of the samples, larger for positives. */
  readonly scores: ArrayLike<number>;
}

/**
 * Percentile interval of the bootstrap for the mean area of several classes, over the same samples: in each draw the
 * mean of the classes that have positives and negatives.
 *
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If a class has no positive or no negative, or a score is NaN.
 */
export function bootstrapMeanAuc(
  classes: readonly ClassScores[],
  { samples = 1000, level = 0.95, seed = 0 }: BootstrapOptions = {},
): Pick<AucInterval, "low" | "high"> {
  for (const { positive, scores } of classes) check("bootstrapMeanAuc", positive, scores);
  const rankings = classes.map(({ scores }) => rank(scores));
  const counts = new Uint32Array(classes[0]!.scores.length);
  const random = key(seed, 0x626f6f74);
  const means: number[] = [];
  for (let attempt = 0; means.length < samples; attempt++) {
    drawCounts(counts, attempt, random);
    const areas = rankings.map((ranking, c) => areaOf(ranking, classes[c]!.positive, counts));
    const known = areas.filter((area) => !Number.isNaN(area));
    if (known.length > 0) means.push(known.reduce((a, b) => a + b, 0) / known.length);
  }
  const sorted = Float64Array.from(means).sort();
  const tail = (1 - level) / 2;
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/**
 * Points of the ROC curve from (0, 0) to (1, 1), one for each distinct score.
 *
 * @returns False and true positive rates.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there is no positive, no negative, one that is neither (NaN), or a score is NaN.
 *
 * @example Usage
 * ```ts
 * import { rocCurve } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rocCurve([0, 1], [0.2, 0.8]), [
 *   { falsePositives: 0, truePositives: 0 },
 *   { falsePositives: 0, truePositives: 1 },
 *   { falsePositives: 1, truePositives: 1 },
 * ]);
 * ```
 */
export function rocCurve(
  positive: ArrayLike<number | boolean>,
  scores: ArrayLike<number>,
): { falsePositives: number; truePositives: number }[] {
  check("rocCurve", positive, scores);
  const { order, ends } = rank(scores);
  const curve = [{ falsePositives: 0, truePositives: 0 }];
  let [hits, misses] = [0, 0];
  for (let i = order.length - 1; i >= 0; i--) {
    if (positive[order[i]!]) hits++;
    else misses++;
    if (i === 0 || ends[i - 1] === i) curve.push({ falsePositives: misses, truePositives: hits });
  }
  return curve.map((point) => ({
    falsePositives: point.falsePositives / misses,
    truePositives: point.truePositives / hits,
  }));
}

function check(op: string, positive: ArrayLike<number | boolean>, scores: ArrayLike<number>): void {
  if (positive.length !== scores.length) {
    throw new TypeError(
      `Cannot compute ${op}() as there must be a score for each sample: got positive [${positive.length}] and ` +
        `scores [${scores.length}]`,
    );
  }
  let positives = 0;
  for (let i = 0; i < scores.length; i++) {
    if (!isScore(scores[i])) throw scoreError(op, scores[i], `at ${i}`);
    if (positive[i] !== true && positive[i] !== false && positive[i] !== 0 && positive[i] !== 1) {
      throw new RangeError(
        `Cannot compute ${op}() as each sample must be positive (1 or true) or not (0 or false): got ${
          positive[i]
        } at ${i}`,
      );
    }
    if (positive[i]) positives++;
  }
  if (positives > 0 && positives < scores.length) return;
  throw new RangeError(
    `Cannot compute ${op}() as there must be positives and negatives: got ${positives} of ${scores.length} positive`,
  );
}

function rank(scores: ArrayLike<number>): Ranking {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  const ends = new Uint32Array(order.length);
  for (let i = order.length - 1; i >= 0; i--) {
    const last = i === order.length - 1 || scores[order[i]!] !== scores[order[i + 1]!];
    ends[i] = last ? i + 1 : ends[i + 1]!;
  }
  return { order, ends };
}

/** Area of samples that count several times; NaN without both kinds. */
function areaOf({ order, ends }: Ranking, positive: ArrayLike<number | boolean>, counts: Uint32Array): number {
  let [below, hits, pairs] = [0, 0, 0];
  for (let i = 0; i < order.length;) {
    const end = ends[i]!;
    let [ups, downs] = [0, 0];
    for (; i < end; i++) {
      const count = counts[order[i]!]!;
      if (positive[order[i]!]) ups += count;
      else downs += count;
    }
    pairs += ups * (below + downs / 2);
    below += downs;
    hits += ups;
  }
  return pairs / (hits * below);
}
