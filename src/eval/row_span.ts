import { meanOf, type Rows } from "./retrieval.ts";
import type { LinearClassifier } from "./linear_classifier.ts";

/** A part of a row that is smaller than this, as a share, is rounding of the others. */
const ROUNDING = 1e-10;

/** Representation of few rows of many features, in coordinates of the space that they span around their mean. */
export interface RowSpan {
  /** Coordinates `[n, r]`, `r ≤ n`. */
  readonly features: Rows;
  /** Turns a classifier of coordinates into the one of features with the same scores, and the same `|weight|`. */
  lift<C extends LinearClassifier>(classifier: C): C;
}

/**
 * The space that rows span around their mean: a linear classifier with an L2 penalty has its weights in it, so that
 * fitting in its `r ≤ n` coordinates gives the same minimum, and what takes `dim³` takes `n³`.
 *
 * The basis is orthonormal, by Gram and Schmidt's method, repeated where it takes much of a row away, in float64; rows
 * that the others span add nothing.
 */
export function rowSpan(features: Rows): RowSpan {
  const { dim } = features;
  const n = features.data.length / dim;
  const mean = meanOf(features);
  const centred = Float64Array.from(features.data, (value: number, i) => value - mean[i % dim]!);
  const basis: Float64Array[] = [];
  for (let i = 0; i < n; i++) {
    const rest = centred.slice(i * dim, (i + 1) * dim);
    const size = Math.sqrt(dot(rest, rest));
    const length = orthogonalise(rest, basis, size);
    if (length > 0) basis.push(rest.map((value) => value / length));
  }
  const r = Math.max(1, basis.length); // equal rows span nothing: one coordinate, which is 0
  const data = new Float64Array(n * r);
  for (let i = 0; i < n; i++) {
    const row = centred.subarray(i * dim, (i + 1) * dim);
    basis.forEach((each, j) => data[i * r + j] = dot(row, each));
  }
  return { features: { data, dim: r }, lift: (classifier) => liftTo(basis, mean, classifier) };
}

/** Takes what the basis spans out of a row; the length of the rest, 0 where it is rounding. */
function orthogonalise(rest: Float64Array, basis: readonly Float64Array[], size: number): number {
  for (let before = size;;) {
    for (const each of basis) addScaled(rest, each, -dot(rest, each));
    const length = Math.sqrt(dot(rest, rest));
    if (length <= ROUNDING * size) return 0;
    if (length > before / 2) return length;
    before = length;
  }
}

function liftTo<C extends LinearClassifier>(basis: readonly Float64Array[], mean: Float64Array, classifier: C): C {
  const { classes, bias } = classifier;
  const dim = mean.length;
  const weight = new Float64Array(dim * classes);
  basis.forEach((each, j) => {
    for (let i = 0; i < dim; i++) {
      for (let c = 0; c < classes; c++) weight[i * classes + c]! += each[i]! * classifier.weight[j * classes + c]!;
    }
  });
  const shifted = bias.map((value, c) => {
    for (let i = 0; i < dim; i++) value -= mean[i]! * weight[i * classes + c]!;
    return value;
  });
  return { ...classifier, weight, bias: shifted, dim };
}

/** Four sums at once: one alone waits for itself at each step. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s, t, u, v] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s += a[i]! * b[i]!;
    t += a[i + 1]! * b[i + 1]!;
    u += a[i + 2]! * b[i + 2]!;
    v += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s += a[i]! * b[i]!;
  return s + t + u + v;
}

function addScaled(target: Float64Array, x: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * x[i]!;
}
