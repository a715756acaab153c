import type { Products } from "./design.ts";
import { type Features, meanOf } from "../retrieval.ts";

/** The products of a small design matrix, on the host: waiting for the device would take longer. */
export class HostDesign implements Products {
  readonly rows: number;
  readonly columns: number;
  readonly mean: Float64Array;
  readonly #x: Float64Array;
  #factors = new Map<number, Float64Array>();

  /** Copies the rows. */
  constructor(features: Features) {
    const { data, dim } = features;
    this.rows = data.length / dim;
    this.columns = dim + 1;
    this.mean = meanOf(features);
    this.#x = new Float64Array(this.rows * this.columns).fill(1);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < dim; j++) this.#x[i * this.columns + j] = data[i * dim + j]! - this.mean[j]!;
    }
  }

  /** `X w`. */
  times(w: Float64Array, width: number): Promise<Float64Array> {
    const out = new Float64Array(this.rows * width);
    this.#pairs((x, i, j) => {
      for (let c = 0; c < width; c++) out[i * width + c]! += x * w[j * width + c]!;
    });
    return Promise.resolve(out);
  }

  /** `Xᵀ r`. */
  transposedTimes(r: Float64Array, width: number): Promise<Float64Array> {
    const out = new Float64Array(this.columns * width);
    this.#pairs((x, i, j) => {
      for (let c = 0; c < width; c++) out[j * width + c]! += x * r[i * width + c]!;
    });
    return Promise.resolve(out);
  }

  /** `(s XᵀX + I)⁻¹ q / s`, by a Cholesky factor. */
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

  /** Nothing is held on the device. */
  [Symbol.dispose](): void {}

  #pairs(visit: (x: number, row: number, column: number) => void): void {
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) visit(this.#x[i * this.columns + j]!, i, j);
    }
  }

  #factor(s: number): Float64Array {
    const n = this.columns;
    const l = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = i === j ? 1 / s + 1e-9 * this.rows : 0;
        for (let r = 0; r < this.rows; r++) sum += this.#x[r * n + i]! * this.#x[r * n + j]!;
        for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
        l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
      }
    }
    return l;
  }
}
