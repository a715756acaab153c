// Passes over all pairs of rows: distances, and sums of differences weighted by a matrix.
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { pair_weights, squared_distances, weighted_differences } from "../../shaders/pairs.ts";
import { type Shape, Tensor } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { padded, resizeRows } from "../product/product.ts";
import { type FormPrograms, pairForms, pairTiles, rowForm, sumForms, sumTiles } from "../shared/row_forms.ts";

/** The programs of a matrix of pairs. */
export type PairPrograms = FormPrograms<typeof squared_distances.params, typeof squared_distances.access>;

/** The programs of a matrix of pairs whose element is `finish`, a WGSL expression of the squared distance `d2`. */
export function pairPrograms(name: string, finish: string): PairPrograms {
  const element = `fn finish(d2: f32) -> f32 { return ${finish}; }`;
  return pairForms(name, [element, squared_distances]);
}

const WEIGHTED_DIFFERENCES = sumForms("weightedDifferences", [weighted_differences]);

function weightProgram(entryPoint: string) {
  return defineProgram({ name: "pairWeights", code: [lib_flat, pair_weights], entryPoint });
}

const DISTANCE_WEIGHTS = weightProgram("distance_weights");
const RBF_WEIGHTS = weightProgram("rbf_weights");

/**
 * The shape rule of a matrix of pairs: `[n, d]` and `[m, d]` make `[n, m]`.
 *
 * @throws {TypeError} If the ranks, widths or dtypes do not fit.
 */
export function pairShape(op: string, x: Tensor, y: Tensor): Shape {
  if (x.rank !== 2 || y.rank !== 2 || x.shape[1] !== y.shape[1]) {
    throw new TypeError(
      `Cannot compute ${op}() as x must be [n, d] and y [m, d]: got x [${x.shape}] and y [${y.shape}]`,
    );
  }
  checkFloat(op, x, y);
  return [x.shape[0]!, y.shape[0]!];
}

/** Vectors of four in a row. */
function vectors(x: Tensor): number {
  return Math.ceil(x.shape[1]! / 4);
}

/** The rows padded with zeros to whole vectors of four; the tensor itself when they are. */
function paddedRows(x: Tensor): Tensor {
  return resizeRows(x, padded(x.shape[1]!));
}

/** The matrix of `finish(‖x[i] − y[j]‖²)`, `[n, m]`; half of the work when y is x. */
export function pairMatrix(programs: PairPrograms, x: Tensor, y: Tensor, gamma: number): Tensor {
  const { device } = x;
  const [rows, cols] = [x.shape[0]!, y.shape[0]!];
  const symmetric = x.storage === y.storage && rows === cols;
  const [a, b] = [paddedRows(x), symmetric ? null : paddedRows(y)];
  const gram = new Tensor(device, [rows, cols]);
  device.dispatch(programs[rowForm(device)], {
    params: { rows, cols, features: vectors(x), symmetric: symmetric ? 1 : 0, gamma },
    buffers: { 1: a.storage, 2: (b ?? a).storage, 3: gram.storage },
    ...pairTiles(device, rows, cols),
  });
  return gram;
}

/**
 * Computes `out[i] = Σⱼ w[i, j] (x[i] − y[j])` for `w` `[n, m]`, or `w[j, i]` for `w` `[m, n]` when `transposed`; `[n,
 * d]`.
 */
export function weightedDifferences(w: Tensor, x: Tensor, y: Tensor, transposed = false): Tensor {
  const { device } = x;
  const [rows, width] = x.shape as [number, number];
  const cols = y.shape[0]!;
  const a = paddedRows(x);
  const b = y.storage === x.storage ? a : paddedRows(y);
  const out = new Tensor(device, [rows, width]);
  const features = vectors(x);
  device.dispatch(WEIGHTED_DIFFERENCES[rowForm(device)], {
    params: { rows, cols, features, width, row_stride: transposed ? 1 : cols, col_stride: transposed ? rows : 1 },
    buffers: { 1: w.storage, 2: a.storage, 3: b.storage, 4: out.storage },
    workgroups: sumTiles(device, rows, features),
  });
  return out;
}

/** Computes `scale · grad`, or `scale · grad · gram` elementwise. */
export function pairWeights(grad: Tensor, gram: Tensor | null, scale: number): Tensor {
  const w = new Tensor(grad.device, grad.shape);
  const size = Math.ceil(grad.size / 4);
  grad.device.dispatch(gram ? RBF_WEIGHTS : DISTANCE_WEIGHTS, {
    params: { size, scale },
    buffers: { 1: grad.storage, 2: gram?.storage, 3: w.storage },
    workgroups: grad.device.groups(size, 64),
  });
  return w;
}

/** Computes both gradients of a matrix of pairs, from the weights of its differences. */
export function pairGrads(w: Tensor, x: Tensor, y: Tensor, needsGrad: readonly boolean[]): (Tensor | null)[] {
  return [
    needsGrad[0] ? weightedDifferences(w, x, y) : null,
    needsGrad[1] ? weightedDifferences(w, y, x, true) : null,
  ];
}
