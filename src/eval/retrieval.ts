import { checkFinite, checkRows } from "./check_finite.ts";
import type { Features } from "../data/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Rows of numbers of any kind. */
export interface Rows {
  /** Values `[n, dim]`, row-major. */
  readonly data: ArrayLike<number>;
  /** Numbers a row. */
  readonly dim: number;
}

/** Nearest rows of a gallery for each query, in order of cosine similarity. */
export interface Neighbours {
  /** Rows of the gallery `[queries, k]`, the nearest first. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Neighbours a query. */
  readonly k: number;
}

/**
 * Centres features by their mean and scales every row to unit length, in float64.
 *
 * @param features `[n, dim]`.
 * @param mean Mean to subtract, `[dim]`; that of the features by default.
 * @throws {TypeError} If they are no rows of `dim` values.
 * @throws {RangeError} If a feature is not finite.
 */
export function centredUnit(features: Features, mean?: Float64Array): Features {
  checkRows("compare features", features);
  const { data, dim } = features;
  const centre = mean ?? meanOf(features);
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += dim) {
    let square = 0;
    for (let j = 0; j < dim; j++) square += (data[i + j]! - centre[j]!) ** 2;
    if (!Number.isFinite(square)) throw new RangeError(`Cannot compare features as row ${i / dim} is not finite`);
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = 0; j < dim; j++) out[i + j] = (data[i + j]! - centre[j]!) * scale;
  }
  return { data: out, dim };
}

/** Mean of the rows, in float64. */
export function meanOf(rows: { readonly data: ArrayLike<number>; readonly dim: number }): Float64Array {
  checkRows("compute the mean", rows);
  const { data, dim } = rows;
  const mean = new Float64Array(dim);
  for (let i = 0; i < data.length; i++) mean[i % dim]! += data[i]!;
  return mean.map((sum) => sum / (data.length / dim));
}

/**
 * The `k` nearest rows of a gallery for each query, by dot product (cosine for unit rows); ties go to the lower row.
 *
 * @param queries `[n, dim]`, unit rows.
 * @param gallery `[m, dim]`, unit rows.
 * @param options `k`, at most m. `skipSelf`: leave row i of the gallery out for query i (the two are one set).
 * @throws {TypeError} If the widths differ.
 * @throws {RangeError} If `k` is not an integer in [1, m], or a feature is not finite.
 */
export function nearest(queries: Features, gallery: Features, options: { k: number; skipSelf?: boolean }): Neighbours {
  checkOptions("compute nearest()", options, ["k", "skipSelf"]);
  for (const each of [queries, gallery]) checkRows("find neighbours", each);
  const { dim } = gallery;
  if (queries.dim !== dim) {
    throw new TypeError(`Cannot compare features as the widths differ: got ${queries.dim} and ${dim}`);
  }
  const { k, skipSelf = false } = options;
  const m = gallery.data.length / dim;
  if (!(Number.isInteger(k) && k >= 1 && k <= m - Number(skipSelf))) {
    throw new RangeError(`Cannot find neighbours as k must be in [1, ${m - Number(skipSelf)}]: got ${k}`);
  }
  for (const each of [queries, gallery]) checkFinite("find neighbours", each);
  const n = queries.data.length / dim;
  const rows = new Uint32Array(n * k);
  const scores = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      scores[j] = skipSelf && i === j ? -Infinity : dot(queries.data, i * dim, gallery.data, j * dim, dim);
    }
    rows.set(topRows(scores, k), i * k);
  }
  return { rows, k };
}

/**
 * Share of the queries whose own row is among the first `top`: the same thing in another drawing.
 *
 * @throws {RangeError} If `top` is not an integer in [1, k].
 */
export function matchRate({ rows, k }: Neighbours, top: number): number {
  if (!(Number.isInteger(top) && top >= 1 && top <= k)) {
    throw new RangeError(`Cannot compute matchRate() as top must be an integer in [1, ${k}]: got ${top}`);
  }
  const n = rows.length / k;
  if (n === 0) throw new RangeError("Cannot compute matchRate() as there must be queries: got none");
  let hits = 0;
  for (let i = 0; i < n; i++) if (rows.subarray(i * k, i * k + top).includes(i)) hits++;
  return hits / n;
}

/**
 * Share of the queries whose nearest neighbour has their label: 1-NN classification.
 *
 * @throws {RangeError} If a label is NaN.
 */
export function labelRate(
  { rows, k }: Neighbours,
  labels: ArrayLike<number>,
  galleryLabels: ArrayLike<number>,
): number {
  for (const each of [labels, galleryLabels]) checkLabels("labelRate", each);
  const n = rows.length / k;
  const most = rows.reduce((a, b) => Math.max(a, b), 0);
  if (labels.length !== n || most >= galleryLabels.length) {
    throw new TypeError(
      `Cannot compute labelRate() as each query and each row of the gallery must have a label: got ${labels.length} for ` +
        `${n} queries and ${galleryLabels.length} for rows to ${most}`,
    );
  }
  let hits = 0;
  for (let i = 0; i < n; i++) if (galleryLabels[rows[i * k]!] === labels[i]) hits++;
  return hits / n;
}

/**
 * Computes what {@linkcode labelRate} is when the neighbour is drawn at random from the gallery.
 *
 * @throws {RangeError} If a label is NaN.
 */
export function labelChance(labels: ArrayLike<number>, galleryLabels: ArrayLike<number>): number {
  for (const each of [labels, galleryLabels]) checkLabels("labelChance", each);
  const counts = new Map<number, number>();
  for (const label of Array.from(galleryLabels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const shares = Array.from(labels, (label) => (counts.get(label) ?? 0) / galleryLabels.length);
  return shares.reduce((sum, share) => sum + share, 0) / labels.length;
}

function checkLabels(op: string, labels: ArrayLike<number>): void {
  if (labels.length === 0) throw new RangeError(`Cannot compute ${op}() as there must be labels: got none`);
  const at = Array.prototype.findIndex.call(labels, Number.isNaN);
  if (at >= 0) throw new RangeError(`Cannot compute ${op}() as every label must be a number: got NaN at ${at}`);
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[i + k]! * b[j + k]!;
  return sum;
}

function topRows(scores: Float64Array, k: number): number[] {
  const top: number[] = [];
  for (let j = 0; j < scores.length; j++) {
    if (top.length === k && !(scores[j]! > scores[top[k - 1]!]!)) continue;
    let at = top.length;
    while (at > 0 && scores[j]! > scores[top[at - 1]!]!) at--;
    top.splice(at, 0, j);
    if (top.length > k) top.pop();
  }
  return top;
}
