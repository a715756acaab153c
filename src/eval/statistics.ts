import { Device } from "../device/mod.ts";
import { key } from "../tensor/mod.ts";
import { checkOptions, checkSizes, uniformNumbers } from "../tensor/internal.ts";
import { DeviceDesign } from "./design.ts";
import { checkFinite } from "./check_finite.ts";
import type { Features } from "../data/mod.ts";
import { meanOf } from "./retrieval.ts";
import { unitRows } from "./unit_rows.ts";

/**
 * Alignment of Wang and Isola: mean of `|x − y|^alpha` over pairs that belong together, the features of unit length.
 *
 * @param first `[n, dim]`. Rows are scaled to unit length.
 * @param second `[n, dim]`, row i belonging to row i of `first`.
 * @param alpha Exponent, 2 by default.
 * @returns 0 when pairs are equal; at most 2^alpha.
 * @throws {TypeError} If the shapes differ.
 * @throws {RangeError} If there is no row, a feature is not finite, or `alpha` not > 0.
 *
 * @example Usage
 * ```ts
 * import { alignment } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * const features = (...data: number[]) => ({ data: new Float32Array(data), dim: 2 });
 * assertEquals(alignment(features(1, 0, 0, 1), features(2, 0, 0, 3)), 0); // the same directions
 * ```
 *
 * @see Wang and Isola, arXiv:2005.10242, equation 2.
 */
export function alignment(first: Features, second: Features, alpha = 2): number {
  if (first.dim !== second.dim || first.data.length !== second.data.length) {
    throw new TypeError(
      `Cannot compute alignment() as the shapes must agree: got [${first.data.length / first.dim}, ${first.dim}] and ` +
        `[${second.data.length / second.dim}, ${second.dim}]`,
    );
  }
  checkExponent("alignment", "alpha", alpha);
  for (const each of [first, second]) checkFinite("compute alignment()", each);
  if (first.data.length === 0) throw new RangeError("Cannot compute alignment() as there must be rows: got none");
  const [x, y] = [unitRows(first), unitRows(second)];
  const { dim } = first;
  let total = 0;
  for (let i = 0; i < x.length; i += dim) {
    let square = 0;
    for (let j = 0; j < dim; j++) square += (x[i + j]! - y[i + j]!) ** 2;
    total += square ** (alpha / 2);
  }
  return total / (x.length / dim);
}

/**
 * Uniformity of Wang and Isola: `log mean exp(−t |x − y|²)` over all pairs, the features of unit length.
 *
 * @param features `[n, dim]`, n ≥ 2. Rows are scaled to unit length.
 * @param t 2 by default.
 * @returns 0 at collapse, −2t/… lower the more evenly the features are spread; at least −4t.
 * @throws {RangeError} If there are fewer than two rows, a feature is not finite, or `t` not > 0.
 *
 * @example Usage
 * ```ts
 * import { uniformity } from "@decoupled/uniformity/eval";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const features = (...data: number[]) => ({ data: new Float32Array(data), dim: 2 });
 * assertAlmostEquals(uniformity(features(1, 0, -1, 0)), -8, 1e-6); // opposite: t · 2²
 * ```
 *
 * @see Wang and Isola, arXiv:2005.10242, equation 3.
 */
export function uniformity(features: Features, t = 2): number {
  checkExponent("uniformity", "t", t);
  checkFinite("compute uniformity()", features);
  const x = unitRows(features);
  const { dim } = features;
  const n = x.length / dim;
  if (n < 2) throw new RangeError(`Cannot compute uniformity() as there must be at least two rows: got ${n}`);
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let dot = 0;
      for (let k = 0; k < dim; k++) dot += x[i * dim + k]! * x[j * dim + k]!;
      total += Math.exp(-t * Math.max(0, 2 - 2 * dot));
    }
  }
  return Math.log(total / (n * (n - 1) / 2));
}

function checkExponent(op: string, name: string, value: number): void {
  if (value > 0 && value < Infinity) return;
  throw new RangeError(`Cannot compute ${op}() as ${name} must be > 0 and finite: got ${value}`);
}

/**
 * Effective rank: `exp` of the entropy of the singular values, as shares of their sum.
 *
 * @param features `[n, dim]`; the work is min(n, dim)³.
 * @returns In [1, min(n, dim)]; 0 when all features are 0.
 * @throws {RangeError} If a feature is not finite.
 *
 * @see Roy and Vetterli, "The effective rank" (2007); RankMe, arXiv:2210.02885.
 */
export function effectiveRank(features: Features): number {
  checkFinite("compute effectiveRank()", features);
  const eigenvalues = symmetricEigenvalues(...smallerGram(features));
  const values = Array.from(eigenvalues, (v) => Math.sqrt(Math.max(0, v)));
  const total = values.reduce((a, b) => a + b, 0);
  if (total === 0) return 0;
  return Math.exp(values.reduce((sum, v) => v > 0 ? sum - v / total * Math.log(v / total) : sum, 0));
}

/** Computes the Gram matrix `X Xᵀ` or `Xᵀ X`, whichever is smaller. */
function smallerGram({ data, dim }: Features): [Float64Array, number] {
  const n = data.length / dim;
  const [size, inner] = [Math.min(n, dim), Math.max(n, dim)];
  const at = n <= dim ? (i: number, k: number) => data[i * dim + k]! : (i: number, k: number) => data[k * dim + i]!;
  const rows = Array.from({ length: size }, (_, i) => Float64Array.from({ length: inner }, (_, k) => at(i, k)));
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [rows[i]!, rows[j]!];
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[k]! * b[k]!;
      gram[i * size + j] = gram[j * size + i] = sum;
    }
  }
  return [gram, size];
}

/**
 * Eigenvalues of a symmetric matrix, in no order: Householder's reduction to tridiagonal form, then bisection by Sturm
 * the implicit QL iteration
 */
function symmetricEigenvalues(a: Float64Array, n: number): Float64Array {
  const { diagonal, off } = tridiagonal(a, n);
  for (let l = 0; l < n; l++) {
    for (let round = 0; round < 60; round++) {
      let m = l;
      while (m < n - 1 && Math.abs(off[m]!) > 1e-15 * (Math.abs(diagonal[m]!) + Math.abs(diagonal[m + 1]!))) m++;
      if (m === l) break;
      rotate(diagonal, off, l, m);
    }
  }
  return diagonal;
}

/** One implicit QL sweep with Wilkinson's shift on rows l to m. */
function rotate(d: Float64Array, e: Float64Array, l: number, m: number): void {
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  g = d[m]! - d[l]! + e[l]! / (g + Math.sign(g || 1) * Math.hypot(g, 1));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}

function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; off: Float64Array } {
  const m = a.slice();
  const off = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let square = 0;
    for (let i = k + 1; i < n; i++) square += m[i * n + k]! ** 2;
    const head = m[(k + 1) * n + k]!;
    const alpha = -Math.sign(head || 1) * Math.sqrt(square);
    off[k] = alpha;
    if (square === 0) continue;
    const v = Float64Array.from({ length: n }, (_, i) => i > k ? m[i * n + k]! : 0);
    v[k + 1]! -= alpha;
    const scale = 2 / v.reduce((sum, each) => sum + each * each, 0);
    if (!Number.isFinite(scale)) continue;
    const p = new Float64Array(n);
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += m[i * n + j]! * v[j]!;
      p[i] = scale * sum;
    }
    const shift = scale / 2 * p.reduce((sum, each, i) => sum + each * v[i]!, 0);
    for (let i = k + 1; i < n; i++) p[i]! -= shift * v[i]!;
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) m[i * n + j]! -= v[i]! * p[j]! + p[i]! * v[j]!;
    }
  }
  if (n > 1) off[n - 2] = m[(n - 1) * n + n - 2]!;
  return { diagonal: Float64Array.from({ length: n }, (_, i) => m[i * n + i]!), off };
}

/** Places of samples along the directions of largest variance. */
export interface PrincipalComponents {
  /** Coordinates `[n][count]`, the largest variance first. */
  readonly places: number[][];
  /** Share of the variance that each direction has. */
  readonly explained: number[];
}

/**
 * Principal components, the products on the device: subspace iteration from a seeded start, 30 rounds. The sign of a
 * direction is chosen so that its largest place is positive.
 *
 * @param features `[n, dim]`; their mean is taken off.
 * @param options `count` directions (2 by default), device.
 * @throws {RangeError} If there are fewer than `count` + 1 rows or `count` columns, or a feature is not finite.
 */
export async function principalComponents(
  features: Features,
  options: { count?: number; device?: Device } = {},
): Promise<PrincipalComponents> {
  checkOptions("compute principalComponents()", options, ["count", "device"]);
  const { count = 2, device = Device.current } = options;
  checkSizes("compute principalComponents()", { count });
  const { dim } = features;
  const n = features.data.length / dim;
  if (n <= count || dim < count) {
    throw new RangeError(
      `Cannot compute principalComponents() as ${count} directions need more rows and as many columns: got [${n}, ${dim}]`,
    );
  }
  checkFinite("compute principalComponents()", features);
  const unit = powerOfTwo(features.data);
  const scaled = { data: features.data.map((v) => v / unit), dim };
  const mean = meanOf(scaled);
  const total = scaled.data.reduce((sum, v, i) => sum + (v - mean[i % dim]!) ** 2, 0);
  using x = new DeviceDesign(scaled, device); // centred, with a column of ones, which gets no weight
  const width = Math.min(dim, count + 6);
  let basis = orthonormal(Float64Array.from(uniformNumbers(dim * width, key(1)), (v) => v - 0.5), dim, width);
  let places: Float64Array = new Float64Array();
  for (let round = 0; round < 30; round++) {
    const weights = new Float64Array((dim + 1) * width);
    weights.set(basis);
    places = await x.times(weights, width);
    basis = orthonormal((await x.transposedTimes(places, width)).slice(0, dim * width), dim, width);
  }
  const found = largest(places, { n, width, count, total });
  return { ...found, places: found.places.map((row) => row.map((v) => v * unit)) };
}

/** The power of two below the largest magnitude, by which division is exact; products of what is left fit f32. */
function powerOfTwo(values: Float32Array): number {
  const most = values.reduce((best, v) => Math.max(best, Math.abs(v)), 0);
  return most > 0 ? 2 ** Math.floor(Math.log2(most)) : 1;
}

/** Gram and Schmidt, twice for accuracy; columns of `[rows, cols]`. */
function orthonormal(a: Float64Array, rows: number, cols: number): Float64Array {
  for (let c = 0; c < cols; c++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < c; other++) {
        let dot = 0;
        for (let r = 0; r < rows; r++) dot += a[r * cols + c]! * a[r * cols + other]!;
        for (let r = 0; r < rows; r++) a[r * cols + c]! -= dot * a[r * cols + other]!;
      }
      let square = 0;
      for (let r = 0; r < rows; r++) square += a[r * cols + c]! ** 2;
      const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
      for (let r = 0; r < rows; r++) a[r * cols + c]! *= scale;
    }
  }
  return a;
}

function largest(
  places: Float64Array,
  { n, width, count, total }: { n: number; width: number; count: number; total: number },
): PrincipalComponents {
  const columns = Array.from({ length: width }, (_, c) => {
    const values = Array.from({ length: n }, (_, i) => places[i * width + c]!);
    const top = values.reduce((best, v) => Math.abs(v) > Math.abs(best) ? v : best, 0);
    const sign = top < 0 ? -1 : 1;
    return { values: values.map((v) => sign * v), square: values.reduce((sum, v) => sum + v * v, 0) };
  }).sort((a, b) => b.square - a.square).slice(0, count);
  return {
    places: Array.from({ length: n }, (_, i) => columns.map(({ values }) => values[i]!)),
    explained: columns.map(({ square }) => total > 0 ? square / total : 0),
  };
}
