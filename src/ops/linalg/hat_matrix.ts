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
import { resizeRows } from "../product/product.ts";
import { rowConstants } from "../shared/rows.ts";
import { negatedInverse } from "./_triangular_inverse.ts";
import { choleskySolve } from "./triangular_solve.ts";

function program(entryPoint: string) {
  return defineProgram({ name: "hatMatrix", code: [lib_flat, lib_rows, code], entryPoint });
}

const DIAGONAL = program("diagonal_of");

/** Computes the hat matrix from the factor `l lᵀ = a + ridge I` by its inverse; both are refined iteratively. */
function hat(a: Tensor, l: Tensor, ridge: number): Tensor {
  const { device } = a;
  const n = a.shape[0]!;
  if (n === 0) return new Tensor(device, [0, 0]);
  const wide = resizeRows(l, Math.ceil(n / 64) * 64);
  const m = negatedInverse(wide);
  const [diagonal, pOn, aOn] = [1, 2, 3].map(() => new Tensor(device, [n])) as [Tensor, Tensor, Tensor];
  const constants = rowConstants(device, n);
  device.dispatch(laneForm(device, DIAGONAL, constants.LANES), {
    params: { n, columns: wide.shape[1]!, size: m.shape[1]!, ridge },
    buffers: { 1: a.storage, 2: wide.storage, 3: m.storage, 4: diagonal.storage, 5: pOn.storage, 6: aOn.storage },
    workgroups: device.groups(n, constants.ROWS),
    constants,
  });
  return refined({ a, l, wide, m, diagonal, pOn, aOn }, ridge);
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
 * It is symmetric. What rounding did to the factor and to its inverse is found to about 36 bits and taken back
 * (shaders/linalg/hat_refine.wgsl), so that a small λ costs little: for 64 equal rows and λ = 0.01 the error is 4e-7 of the
 * largest element, where `choleskySolve(cholesky(a, { ridge }), a)` loses 5e-6 and the inverse alone 2e-3. The device leaves
 * that out where it cannot matter: where `λ q² max aᵢᵢ ≤ 1/16`, q the largest diagonal element of `(a + λI)⁻¹`. On a software
 * adapter it takes about five times as long as all the rest.
 *
 * Where it moves a row by so much that the square counts, the factor says too little of the matrix, and all is NaN; with
 * alike rows, or a smooth kernel, that happens with λ below about n · 10⁻⁶ of the largest element of `a`: 5 · 10⁻⁵ for 64
 * rows, 10⁻⁴ for 256, 5 · 10⁻⁴ for 512. From twice that on the error is below 10⁻² of the largest element.
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
export function hatMatrix(a: Tensor, options: HatMatrixOptions = {}): Tensor<"f32"> {
  const { ridge = 0 } = options;
  if (a.rank !== 2 || a.shape[0] !== a.shape[1]) {
    throw new TypeError(`Cannot compute hatMatrix() as a must be [n, n]: got a [${a.shape}]`);
  }
  checkFloat("hatMatrix", a);
  checkSetting("compute hatMatrix()", "ridge", ridge, { orZero: true });
  return hatMatrixOp([a], { ridge });
}
