import { defineProgram, type Device } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
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
import { transpose } from "../move/permute.ts";
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
/** Rows below a block that a workgroup has. */
const ROWS = 8;
/** Columns that one matrix product brings up to date. */
const GROUP = 128;

function program(entryPoint: string, form?: string) {
  return defineProgram({ name: "cholesky", form, code: [lib_flat, code, rows], entryPoint });
}

const START = program("start");
const FACTORS = {
  elements: program("factor", "cholesky:elements"),
  rows: program("factor_rows", "cholesky:rows"),
};
const MIRROR = program("mirror");
const PANEL = pairForms("choleskyPanel", [panel]);
const UPDATE = pairForms("choleskyUpdate", [update]);

/** Chooses how a block is factored. */
function choleskyForm(device: Device): keyof typeof FACTORS {
  const policy = policyOf(device);
  return policy.choose("cholesky", ["elements", "rows"], policy.of(CHOLESKY));
}

/** A factor in the making: `l` as far as it is known, the work `w`, which is minus what is left of `a + ridge I`. */
interface Factor {
  readonly n: number;
  readonly size: number;
  readonly l: Tensor;
  readonly w: Tensor;
}

/** Factors `a + ridge I`, `[n, n]`. */
function factor(a: Tensor, ridge: number): Tensor {
  const { device } = a;
  const n = a.shape[0]!;
  const size = Math.ceil(n / BLOCK) * BLOCK;
  const [l, w] = [new Tensor(device, [size, size]), new Tensor(device, [size, size])];
  const state = { n, size, l, w };
  device.dispatch(START, {
    params: { n, size, group: 0, first: 0, ridge, nan_bits: NAN_BITS },
    buffers: { 1: a.storage, 2: l.storage, 3: w.storage },
    workgroups: [Math.ceil(size / 256), size, 1],
  });
  const wide = choleskyForm(device) === "elements";
  for (let group = 0; group < size; group += GROUP) {
    const until = Math.min(group + GROUP, size);
    // A product of few columns and many terms loads less, one of many columns keeps more of a GPU busy.
    if (!wide && group > 0) collect(state, [group, until], [0, group]);
    (wide ? byElements : byRows)(state, group, until);
    if (wide && until < size) collect(state, [until, size], [group, until]);
  }
  w.dispose();
  return resizeRows(l, n, [n, n]);
}

/** Factors the columns of a group, a dispatch a block. */
function byElements({ n, size, l, w }: Factor, group: number, until: number): void {
  for (let first = group; first < until; first += BLOCK) {
    l.device.dispatch(FACTORS.elements, {
      params: { n, size, group, first, ridge: 0, nan_bits: NAN_BITS },
      buffers: { 2: l.storage, 3: w.storage },
      workgroups: [Math.max(1, (size - first - BLOCK) / ROWS), 1, 1],
    });
  }
}

/** Factors the columns of a group: of each block its diagonal, the rows below it, and what it leaves of the columns past it. */
function byRows({ n, size, l, w }: Factor, group: number, until: number): void {
  const { device } = l;
  const form = rowForm(device);
  const inverse = new Tensor(device, [BLOCK, BLOCK]);
  for (let first = group; first < until; first += BLOCK) {
    const next = first + BLOCK;
    device.dispatch(FACTORS.rows, {
      params: { n, size, group, first, ridge: 0, nan_bits: NAN_BITS },
      buffers: { 2: l.storage, 3: w.storage, 4: inverse.storage },
      workgroups: [1, 1, 1],
    });
    if (next === size) break;
    device.dispatch(PANEL[form], {
      params: { size, first, vectors: BLOCK / 4 },
      buffers: { 1: w.storage, 2: inverse.storage, 3: l.storage },
      ...pairTiles(device, size - next, BLOCK),
    });
    if (next === until) break;
    device.dispatch(UPDATE[form], {
      params: { size, panel: first, first: next, until, vectors: BLOCK / 4 },
      buffers: { 1: l.storage, 2: w.storage },
      ...pairTiles(device, size - next, until - next),
    });
  }
  inverse.dispose();
}

/** Adds `l[first.., from..to] l[first..until, from..to]ᵀ` to the columns first..until of the work, as far as it is lower. */
function collect({ size, l, w }: Factor, [first, until]: Range, [from, to]: Range): void {
  const row = { row: size, matrix: 0, from: first * size + from };
  productPadded({
    a: l,
    b: l,
    sizes: { rows: size - first, cols: until - first, inner: to - from, triangles: { lower: true } },
    layout: strided(
      { a: row, b: row, c: { row: size, matrix: 0, from: first * (size + 1) }, size: size * size },
      { transposeB: true },
    ),
    epilogue: { into: w },
  });
}

/** Rows or columns, from the first to before the end. */
type Range = readonly [number, number];

/** The lower triangle mirrored and halved. */
function mirrored(a: Tensor): Tensor {
  const n = a.shape[0]!;
  const out = new Tensor(a.device, [n, n]);
  a.device.dispatch(MIRROR, {
    params: { n, size: n, group: 0, first: 0, ridge: 0.5, nan_bits: NAN_BITS },
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
    const middle = mirrored(matmul(l!, grad, { transposeA: true }));
    const left = triangularSolve(l!, middle, options);
    return [triangularSolve(l!, transpose(left), options)];
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
 * Only the lower triangle of `a` is read. The factor is blocked (32 columns a step, 128 a group), so
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
