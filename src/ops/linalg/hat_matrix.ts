import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { hat_matrix as code, lib_flat, lib_rows } from "../../shaders/gen.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkSetting } from "../../tensor/internal.ts";
import { add, mul } from "../elementwise/binary.ts";
import { checkFloat } from "../shared/check.ts";
import { cholesky } from "./cholesky.ts";
import { refined } from "./_hat_refine.ts";
import { laneForm } from "../shared/lanes.ts";
import { transpose } from "../move/permute.ts";
import { padded, productPadded, resizeRows } from "../product/product.ts";
import { rowConstants } from "../shared/rows.ts";
import { negatedInverse } from "./_triangular_inverse.ts";
import { choleskySolve } from "./triangular_solve.ts";

function program(entryPoint: string) {
  return defineProgram({ name: "hatMatrix", code: [lib_flat, lib_rows, code], entryPoint });
}

const DIAGONAL = program("diagonal_of");
const FINISH = program("finish");

/** From the factor `l lᵀ = a + ridge I` by one inverse of l, and then one step of refinement. */
function hat(a: Tensor, l: Tensor, ridge: number): Tensor {
  const { device } = a;
  const n = a.shape[0]!;
  if (n === 0) return new Tensor(device, [0, 0]);
  const wide = resizeRows(l, Math.ceil(n / 64) * 64);
  const m = negatedInverse(wide);
  const size = m.shape[1]!;
  const columns = padded(n);
  const row = { row: size, matrix: 0 };
  const p = productPadded({
    a: m,
    b: m,
    rows: n,
    cols: n,
    inner: n,
    transposeA: true,
    triangles: { fromRow: true, lower: true },
    strides: { a: row, b: row, c: { row: columns, matrix: 0 }, size: n * columns },
  });
  const diagonal = new Tensor(device, [columns]);
  const z = new Tensor(device, [columns, columns]);
  const sizes = { n, columns: wide.shape[1]!, size, columns4: columns / 4, ridge };
  const constants = rowConstants(device, n);
  device.dispatch(laneForm(device, DIAGONAL, constants.LANES), {
    params: sizes,
    buffers: { 1: a.storage, 2: wide.storage, 3: m.storage, 5: diagonal.storage },
    workgroups: device.groups(n, constants.ROWS),
    constants,
  });
  device.dispatch(FINISH, {
    params: sizes,
    buffers: { 4: p.storage, 6: diagonal.storage, 7: z.storage },
    workgroups: device.groups((columns / 4) ** 2, 64),
  });
  return refined(a, { z: resizeRows(z, n, [n, n]), on: diagonal, m }, ridge);
}

const hatMatrixOp = defineOp<[Tensor], { readonly ridge: number }>({
  name: "hatMatrix",
  forward(context, [a], { ridge }) {
    const l = cholesky(a, { ridge });
    context.save(l);
    return hat(a, l, ridge);
  },
  // With s = (a + ridge I)⁻¹: grad_a = ridge s grad s, of which the symmetric part counts.
  backward({ saved: [l] }, grad, { ridge }) {
    const both = choleskySolve(l!, transpose(choleskySolve(l!, grad)));
    return [mul(add(both, transpose(both)), ridge / 2)];
  },
});

/** Options of {@linkcode hatMatrix}. */
export interface HatMatrixOptions {
  /** λ ≥ 0; 0 by default, which gives the identity. */
  readonly ridge?: number;
}

/**
 * Hat matrix of kernel ridge regression: `(a + λI)⁻¹ a`, `a` symmetric positive semi-definite.
 *
 * It is symmetric. The factor is inverted once, and off the diagonal the matrix is `−λ (a + λI)⁻¹`; on the diagonal that
 * would cancel against 1 where λ is large, so it is summed otherwise there (shaders/linalg/hat_matrix.wgsl). Then one step of
 * iterative refinement, its residual to about 32 bits, takes nearly all of the error away that a small λ brings
 * (shaders/linalg/hat_refine.wgsl): for 64 equal rows and λ = 0.01 it is 1.4e-6 of the largest element, where
 * `choleskySolve(cholesky(a, { ridge }), a)` loses 5e-6 and the inverse alone 2e-3.
 *
 * Where that step is more than a quarter of the largest element of a row, the factor says too little of the matrix, and all
 * is NaN; it happens with λ below about n · 2⁻²⁴ of the largest eigenvalue of `a`.
 *
 * @param a Gram matrix, f32 `[n, n]`; only its lower triangle is read.
 * @param options `ridge`, λ.
 * @returns f32 `[n, n]`, symmetric; NaN everywhere when `a + λI` is not positive definite in f32, see
 *   {@linkcode cholesky}, or too near to one that is not. Its gradient with respect to `a` is symmetric.
 * @throws {TypeError} If `a` is not a square matrix or not f32.
 * @throws {RangeError} If `ridge` is negative or not finite.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { hatMatrix } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await hatMatrix(tensor([[2, 1], [1, 2]]), { ridge: 1 }).data(), [0.625, 0.125, 0.125, 0.625]);
 * ```
 *
 * @see Higham, "Accuracy and Stability of Numerical Algorithms", chapter 12, for the refinement; Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", section 5.4.1 (smoother matrices).
 */
export function hatMatrix(a: Tensor, options: HatMatrixOptions = {}): Tensor {
  const { ridge = 0 } = options;
  if (a.rank !== 2 || a.shape[0] !== a.shape[1]) {
    throw new TypeError(`Cannot compute hatMatrix() as a must be [n, n]: got a [${a.shape}]`);
  }
  checkFloat("hatMatrix", a);
  checkSetting("compute hatMatrix()", "ridge", ridge, { orZero: true });
  return hatMatrixOp([a], { ridge });
}
