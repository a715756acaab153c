import type { Products } from "./design.ts";
import { meanOf, type Rows } from "./retrieval.ts";

/** The products of a small design matrix, on the host: waiting for the device would take longer. */
export class HostDesign implements Products {
  readonly rows: number;
  readonly columns: number;
  readonly mean: Float64Array;
  readonly #x: Float64Array;
  readonly noise = 1e-12;
  #factors = new Map<number, Float64Array>();
  #gram: Float64Array | null = null;

  /** Copies the rows. */
  constructor(features: Rows) {
    const { data, dim } = features;
    this.rows = data.length / dim;
    this.columns = dim + 1;
    this.mean = meanOf(features);
    this.#x = new Float64Array(this.rows * this.columns).fill(1);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < dim; j++) this.#x[i * this.columns + j] = data[i * dim + j]! - this.mean[j]!;
    }
  }

  /** Computes `X w`. */
  times(w: Float64Array, width: number): Promise<Float64Array> {
    const { rows, columns } = this;
    const x = this.#x;
    const out = new Float64Array(rows * width);
    for (let i = 0; i < rows; i++) {
      const to = i * width;
      for (let j = 0; j < columns; j++) {
        const value = x[i * columns + j]!;
        const from = j * width;
        for (let c = 0; c < width; c++) out[to + c]! += value * w[from + c]!;
      }
    }
    return Promise.resolve(out);
  }

  /** Computes `Xᵀ r`. */
  transposedTimes(r: Float64Array, width: number): Promise<Float64Array> {
    const { rows, columns } = this;
    const x = this.#x;
    const out = new Float64Array(columns * width);
    for (let i = 0; i < rows; i++) {
      const from = i * width;
      for (let j = 0; j < columns; j++) {
        const value = x[i * columns + j]!;
        const to = j * width;
        for (let c = 0; c < width; c++) out[to + c]! += value * r[from + c]!;
      }
    }
    return Promise.resolve(out);
  }

  /** Computes `(s XᵀX + I)⁻¹ q / s`, by a Cholesky factor. */
  precondition(q: Float64Array, width: number, s: number): Promise<Float64Array> {
    const n = this.columns;
    const l = this.#factors.get(s) ?? this.#factor(s);
    this.#factors.set(s, l);
    const out = q.slice();
    for (let c = 0; c < width; c++) {
      for (let i = 0; i < n; i++) {
        let sum = out[i * width + c]!;
        for (let j = 0; j < i; j++) sum -= l[i * n + j]! * out[j * width + c]!;
        out[i * width + c] = sum / l[i * n + i]!;
      }
      for (let i = n - 1; i >= 0; i--) {
        let sum = out[i * width + c]!;
        for (let j = i + 1; j < n; j++) sum -= l[j * n + i]! * out[j * width + c]!;
        out[i * width + c] = sum / l[i * n + i]!;
      }
    }
    return Promise.resolve(out);
  }

  /** Frees nothing, as nothing is held on the device. */
  [Symbol.dispose](): void {}

  #factor(s: number): Float64Array {
    const n = this.columns;
    this.#gram ??= this.#product();
    const l = this.#gram.slice();
    for (let i = 0; i < n; i++) l[i * n + i]! += 1 / s + 1e-9 * this.rows;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = l[i * n + j]!;
        for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
        l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
      }
    }
    return l;
  }

  /** Computes the lower triangle of `XᵀX`. */
  #product(): Float64Array {
    const n = this.columns;
    const x = this.#x;
    const gram = new Float64Array(n * n);
    for (let r = 0; r < this.rows; r++) {
      for (let i = 0; i < n; i++) {
        const value = x[r * n + i]!;
        for (let j = 0; j <= i; j++) gram[i * n + j]! += value * x[r * n + j]!;
      }
    }
    return gram;
  }
}
