import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_rows } from "../../shaders/lib.ts";
import { hat_matrix as code } from "../../shaders/linalg.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
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
  return refined({ a, wide, m, diagonal, pOn, aOn }, ridge);
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
 * It is symmetric. What rounding did to the factor and to its inverse is found to about 40 bits and taken back in up to three
 * passes, each of which squares what is missing (shaders/linalg/hat_refine.wgsl). So a small λ costs little: with
 * λ ≥ n · 10⁻⁶ max aᵢᵢ the error is below 10⁻⁵ of the largest element for n ≤ 256, below 10⁻⁴ for n = 512; of 64 equal rows and
 * λ = 10⁻⁴ it is 10⁻⁷, where PyTorch's f32 Cholesky factor and solves lose 0.1. That is less than what rounding a to f32
 * moves the result by, unless a has no rounding. docs/priors.md has a table. The device leaves the passes out where they
 * cannot matter: all where `λ q² max aᵢᵢ ≤ 1/16`, q the largest diagonal element of `(a + λI)⁻¹`, else what comes after one
 * that missed less than 2⁻²⁸.
 *
 * Where the last pass does not converge, the factor says too little of the matrix, and all is NaN: with alike rows, or a
 * smooth kernel, that happens with λ below about n · 2 · 10⁻⁷ of the largest element of `a`. Up to n · 10⁻⁶ the error is below
 * 1 % of the largest element.
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
  checkOptions("compute hatMatrix()", options, ["ridge"]);
  const { ridge = 0 } = options;
  if (a.rank !== 2 || a.shape[0] !== a.shape[1]) {
    throw new TypeError(`Cannot compute hatMatrix() as a must be [n, n]: got a [${a.shape}]`);
  }
  checkFloat("hatMatrix", a);
  checkSetting("compute hatMatrix()", "ridge", ridge, { orZero: true });
  return hatMatrixOp([a], { ridge });
}
