import { noGrad } from "../autograd/mod.ts";
import type { Device } from "../device/mod.ts";
import { add, cholesky, choleskySolve, matmul } from "../ops/mod.ts";
import { eye, keep, type Tensor, tensor, tidy } from "../tensor/mod.ts";
import { rowsAtOnce } from "../data/internal.ts";
import { meanOf, type Rows } from "./retrieval.ts";

/** Inverses that are kept. */
const MOST_INVERSES = 12;

/** A matrix of centred features with a column of ones, and the products that fitting needs. */
export interface Products extends Disposable {
  /** Rows. */
  readonly rows: number;
  /** Columns: features and the one. */
  readonly columns: number;
  /** Mean that was subtracted from each feature. */
  readonly mean: Float64Array;
  /** Relative rounding error of a sum of losses. */
  readonly noise: number;
  /** Computes `X w`, `[rows, width]`, of `w [columns, width]`; the result may be overwritten. */
  times(w: Float64Array, width: number): Promise<Float64Array>;
  /** Computes `Xᵀ r`, `[columns, width]`, of `r [rows, width]`. */
  transposedTimes(r: Float64Array, width: number): Promise<Float64Array>;
  /** A multiple of `(s XᵀX + I)⁻¹ q`, exact enough to point the way. */
  precondition(q: Float64Array, width: number, s: number): Promise<Float64Array>;
}

/**
 * Implementation of {@linkcode Products} on the device: centred features with a column of ones, in blocks of rows, and
 * the products that fitting needs.
 */
export class DeviceDesign implements Products {
  /** Rows. */
  readonly rows: number;
  /** Columns: features and the one. */
  readonly columns: number;
  /** Mean that was subtracted from each feature. */
  readonly mean: Float64Array;
  /** f32 products. */
  readonly noise = 1e-7;
  readonly #device: Device;
  /** Columns on the device, a multiple of 4: others are copied to be one at every product. The last ones are 0. */
  readonly #padded: number;
  readonly #blocks: Tensor[] = [];
  #gram: Tensor | null = null;
  #inverses = new Map<number, Tensor>();

  /** Uploads the rows. */
  constructor(features: Rows, device: Device) {
    const { data, dim } = features;
    this.rows = data.length / dim;
    this.columns = dim + 1;
    this.#padded = 4 * Math.ceil(this.columns / 4);
    this.mean = meanOf(features);
    this.#device = device;
    const most = rowsAtOnce(device, this.#padded);
    for (let from = 0; from < this.rows; from += most) {
      const to = Math.min(this.rows, from + most);
      const block = new Float32Array((to - from) * this.#padded);
      for (let i = from; i < to; i++) {
        const at = (i - from) * this.#padded;
        for (let j = 0; j < dim; j++) block[at + j] = data[i * dim + j]! - this.mean[j]!;
        block[at + dim] = 1;
      }
      this.#blocks.push(keep(tensor(block, { shape: [to - from, this.#padded], device })));
    }
  }

  /** Computes `X w`, `[rows, width]`, of `w [columns, width]`. */
  async times(w: Float64Array, width: number): Promise<Float64Array> {
    using weights = this.#upload(w, width);
    const parts = this.#blocks.map((block) => keep(noGrad(() => matmul(block, weights))));
    const read = await Promise.all(parts.map((part) => part.data()));
    parts.forEach((part) => part.dispose());
    const out = new Float64Array(this.rows * width);
    read.reduce((at, part) => (out.set(part as Float32Array, at), at + part.length), 0);
    return out;
  }

  /** Computes `Xᵀ r`, `[columns, width]`, of `r [rows, width]`; blocks are summed in float64. */
  async transposedTimes(r: Float64Array, width: number): Promise<Float64Array> {
    let from = 0;
    const parts = this.#blocks.map((block) => {
      const to = from + block.shape[0]!;
      using rows = keep(
        tensor(Float32Array.from(r.subarray(from * width, to * width)), {
          shape: [to - from, width],
          device: this.#device,
        }),
      );
      from = to;
      return keep(noGrad(() => matmul(block, rows, { transposeA: true })));
    });
    const read = await Promise.all(parts.map((part) => part.data()));
    parts.forEach((part) => part.dispose());
    const out = new Float64Array(this.columns * width);
    for (const part of read) for (let i = 0; i < out.length; i++) out[i]! += part[i] as number;
    return out;
  }

  /** A multiple of `(s XᵀX + I)⁻¹ q`, nearly: the inverse is f32, with a ridge that f32 can factor. */
  async precondition(q: Float64Array, width: number, s: number): Promise<Float64Array> {
    const inverse = this.#inverses.get(s) ?? this.#invert(s);
    this.#inverses.delete(s);
    this.#inverses.set(s, inverse);
    if (this.#inverses.size > MOST_INVERSES) this.#forgetOldest();
    using right = this.#upload(q, width);
    using product = keep(noGrad(() => matmul(inverse, right)));
    return Float64Array.from((await product.data()).subarray(0, this.columns * width));
  }

  /** Puts `[columns, width]` on the device, with rows of 0 for the columns of 0. */
  #upload(values: Float64Array, width: number): Tensor {
    const data = new Float32Array(this.#padded * width);
    data.set(values);
    return keep(tensor(data, { shape: [this.#padded, width], device: this.#device }));
  }

  #forgetOldest(): void {
    const [oldest] = this.#inverses.keys();
    this.#inverses.get(oldest!)!.dispose();
    this.#inverses.delete(oldest!);
  }

  #invert(s: number): Tensor {
    this.#gram ??= keep(
      noGrad(() =>
        tidy(() => this.#blocks.map((block) => matmul(block, block, { transposeA: true })).reduce((a, b) => add(a, b)))
      ),
    );
    const gram = this.#gram;
    return keep(noGrad(() =>
      tidy(() => {
        const factor = cholesky(gram, { ridge: 1 / s + 1e-5 * this.rows });
        return choleskySolve(factor, eye(this.#padded, { device: this.#device }));
      })
    ));
  }

  /** Frees what is on the device. */
  [Symbol.dispose](): void {
    for (const each of [...this.#blocks, ...this.#inverses.values(), ...(this.#gram ? [this.#gram] : [])]) {
      each.dispose();
    }
  }
}
