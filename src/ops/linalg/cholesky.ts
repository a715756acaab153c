import { defineProgram, type Device } from "../../device/mod.ts";
import { lib_block, lib_flat } from "../../shaders/lib.ts";
import {
  cholesky as code,
  cholesky_panel as panel,
  cholesky_rows as rows,
  cholesky_update as update,
} from "../../shaders/linalg.ts";
import { defineOp } from "../../autograd/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { matmul } from "../product/matmul.ts";
import { strided } from "../product/layout.ts";
import { productPadded, resizeRows } from "../product/product.ts";
import { pairForms, pairTiles, rowForm } from "../shared/row_forms.ts";
import { triangularSolve } from "./triangular_solve.ts";
import { policyOf } from "../shared/policy.ts";
import { CHOLESKY } from "../shared/tables.ts";
import { NAN_BITS } from "../shared/params.ts";

/** Columns of a block. */
const BLOCK = 32;
/** Columns that one matrix product brings up to date. */
const GROUP = 128;
/** Invocations that share a row of a block, where it is factored by elements. */
const LANES = 8;

function program(entryPoint: string, form?: string) {
  return defineProgram({ name: "cholesky", form, code: [lib_flat, lib_block, code, rows], entryPoint });
}

const TAKE = program("take");
const FACTORS = {
  elements: program("factor", "cholesky:elements"),
  rows: program("factor_rows", "cholesky:rows"),
};
const MIRROR = program("mirror");
const TRANSPOSE = program("transpose");
const PANEL = pairForms("choleskyPanel", [panel]);
const UPDATE = pairForms("choleskyUpdate", [update]);

/** Chooses how a diagonal block is factored. */
function choleskyForm(device: Device): keyof typeof FACTORS {
  const policy = policyOf(device);
  return policy.choose("cholesky", ["elements", "rows"], policy.of(CHOLESKY));
}

/** Factors `a + ridge I`, `[n, n]`. */
function factor(a: Tensor, ridge: number): Tensor {
  const { device } = a;
  const n = a.shape[0]!;
  const size = Math.ceil(n / BLOCK) * BLOCK;
  const l = new Tensor(device, [size, size]);
  const inverse = new Tensor(device, [BLOCK, BLOCK]);
  const params = { n, size, ridge, nan_bits: NAN_BITS };
  for (let group = 0; group < size; group += GROUP) {
    const until = Math.min(group + GROUP, size);
    const product = group === 0 ? undefined : factored(l, group, until);
    device.dispatch(TAKE, {
      params: { ...params, first: group, until },
      buffers: { 1: a.storage, 2: l.storage, 4: (product ?? a).storage },
      workgroups: device.groups(size * (until - group) / 4, 64),
      constants: { PRODUCT: product !== undefined },
    });
    product?.dispose();
    for (let first = group; first < until; first += BLOCK) {
      device.dispatch(FACTORS[choleskyForm(device)], {
        params: { ...params, first, until },
        buffers: { 2: l.storage, 3: inverse.storage },
        workgroups: [1, 1, 1],
        constants: { LANES },
      });
      if (first + BLOCK < size) dividePanel(l, inverse, first);
      if (first + BLOCK < until) updateGroup(l, first, until);
    }
  }
  return resizeRows(l, n, [n, n]);
}

/** `l[group.., ..group] l[group..until, ..group]ᵀ`, what the columns so far make of those of a group. */
function factored(l: Tensor, group: number, until: number): Tensor {
  const size = l.shape[0]!;
  const [rows, cols] = [size - group, until - group];
  const row = { row: size, matrix: 0, from: group * size };
  return productPadded({
    a: l,
    b: l,
    sizes: { rows, cols, inner: group },
    layout: strided({ a: row, b: row, c: { row: cols, matrix: 0 }, size: rows * cols }, { transposeB: true }),
  });
}

/** Divides the rows below a factored block by it. */
function dividePanel(l: Tensor, inverse: Tensor, first: number): void {
  const { device } = l;
  const size = l.shape[0]!;
  device.dispatch(PANEL[rowForm(device)], {
    params: { size, first, vectors: BLOCK / 4 },
    buffers: { 1: l.storage, 2: inverse.storage },
    ...pairTiles(device, size - first - BLOCK, BLOCK),
  });
}

/** Takes the products of a block of columns off the columns past it, up to `until`. */
function updateGroup(l: Tensor, panel: number, until: number): void {
  const { device } = l;
  const size = l.shape[0]!;
  const first = panel + BLOCK;
  device.dispatch(UPDATE[rowForm(device)], {
    params: { size, panel, first, until, vectors: BLOCK / 4 },
    buffers: { 1: l.storage },
    ...pairTiles(device, size - first, until - first),
  });
}

/** The lower triangle mirrored and scaled (`MIRROR`), or the transpose (`TRANSPOSE`). */
function rearrange(program: typeof MIRROR, a: Tensor, scale: number): Tensor {
  const n = a.shape[0]!;
  const out = new Tensor(a.device, [n, n]);
  a.device.dispatch(program, {
    params: { n, size: n, first: 0, until: n, ridge: scale, nan_bits: NAN_BITS },
    buffers: { 1: a.storage, 2: out.storage },
    workgroups: a.device.groups(n * n, 64),
  });
  return out;
}

const choleskyOp = defineOp<[Tensor], { readonly ridge: number }>({
  name: "cholesky",
  forward(context, [a], { ridge }) {
    const l = factor(a, ridge);
    context.save(l);
    return l;
  },
  // grad_a = ½ L⁻ᵀ (P + Pᵀ) L⁻¹, where P is the lower triangle of Lᵀ grad_l with its diagonal halved.
  backward({ saved: [l] }, grad) {
    const options = { transpose: true } as const;
    const middle = rearrange(MIRROR, matmul(l!, grad, { transposeA: true }), 0.5);
    const left = triangularSolve(l!, middle, options);
    return [triangularSolve(l!, rearrange(TRANSPOSE, left, 1), options)];
  },
});

/** Options of {@linkcode cholesky}. */
export interface CholeskyOptions {
  /** Ridge added to the diagonal first, ≥ 0; 0 by default. */
  readonly ridge?: number;
}

/**
 * Cholesky factor: the lower triangular `L` with `L Lᵀ = a + ridge · I`, `a` symmetric positive definite.
 *
 * Only the lower triangle of `a` is read. The factor is blocked and right-looking (32 columns a step, 128 a group), so
 * that nearly all of its n³/3 operations are those of a matrix product; n has no limit but memory.
 *
 * **When the matrix is not positive definite** the device cannot throw: the first pivot that is not > 0 becomes NaN, and
 * so do all elements of L that come after it, the last one of the diagonal always. What is computed from L is then NaN,
 * so a loss shows it with no extra read-back; {@linkcode isFactored} tells for one factor by reading 4 bytes. A larger
 * `ridge` makes a Gram matrix positive definite in f32: more than n · 2⁻²⁴ of its largest eigenvalue.
 *
 * @param a Matrix, f32 `[n, n]`.
 * @param options `ridge`, added to the diagonal.
 * @returns L, f32 `[n, n]`, 0 above the diagonal. Its gradient with respect to `a` is symmetric, as PyTorch's.
 * @throws {TypeError} If `a` is not a square matrix or not f32.
 * @throws {RangeError} If `ridge` is negative or not finite.
 *
 * @example Usage
 * ```ts
 * import { cholesky, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const l = cholesky(tensor([[4, 2], [2, 10]]));
 * assertEquals(await l.data(), new Float32Array([2, 0, 1, 3]));
 * ```
 *
 * @see Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, for the gradient.
 */
export function cholesky(a: Tensor, options: CholeskyOptions = {}): Tensor<"f32"> {
  checkOptions("compute cholesky()", options, ["ridge"]);
  const { ridge = 0 } = options;
  if (a.rank !== 2 || a.shape[0] !== a.shape[1]) {
    throw new TypeError(`Cannot compute cholesky() as a must be [n, n]: got a [${a.shape}]`);
  }
  checkFloat("cholesky", a);
  checkSetting("compute cholesky()", "ridge", ridge, { orZero: true });
  return choleskyOp([a], { ridge });
}

/**
 * Whether a {@linkcode cholesky} factor is one, that is, whether the matrix was positive definite. Reads the last
 * element of the diagonal back: not for every step.
 *
 * @param l What `cholesky` returned, `[n, n]`.
 *
 * @example Usage
 * ```ts
 * import { cholesky, Device, tensor } from "@decoupled/uniformity";
 * import { isFactored } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await isFactored(cholesky(tensor([[1, 2], [2, 1]]))), false);
 * assertEquals(await isFactored(cholesky(tensor([[1, 2], [2, 1]]), { ridge: 1.1 })), true);
 * ```
 */
export async function isFactored(l: Tensor): Promise<boolean> {
  if (l.size === 0) return true;
  const [last] = new Float32Array(await l.device.read(l.storage, 4, 4 * (l.size - 1)));
  return Number.isFinite(last);
}
