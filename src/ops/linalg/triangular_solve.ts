import { defineProgram } from "../../device/mod.ts";
import { lib_block, lib_flat, lib_triangle } from "../../shaders/lib.ts";
import {
  triangle_mask as maskCode,
  triangular_solve as code,
  triangular_solve_apply as apply,
  triangular_solve_start as start,
  triangular_solve_update as update,
} from "../../shaders/linalg.ts";
import { defineOp } from "../../autograd/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { matmul } from "../product/matmul.ts";
import { strided } from "../product/layout.ts";
import { padded, productPadded, resizeRows } from "../product/product.ts";
import { rowForm, sumForms, sumTiles } from "../shared/row_forms.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Rows of a block whose inverse is made. */
const BLOCK = 32;
/** Rows that are solved block by block after a matrix product brought in all that were solved before. */
const GROUP = 128;

const INVERT = defineProgram({
  name: "triangularSolve",
  code: [lib_triangle, lib_block, code],
  entryPoint: "invert",
});
const APPLY = sumForms("triangularSolveApply", [lib_triangle, apply]);
const UPDATE = sumForms("triangularSolveUpdate", [lib_triangle, update]);
const START = defineProgram({
  name: "triangularSolve",
  code: [lib_flat, start],
  entryPoint: "negate",
});
const MASK = defineProgram({
  name: "triangleMask",
  code: [lib_flat, maskCode],
  entryPoint: "mask",
});

/** Options of {@linkcode triangularSolve}. */
export interface TriangularSolveOptions {
  /** Whether `a` is upper triangular; lower by default. The other triangle is not read. */
  readonly upper?: boolean;
  /** Solve `aᵀ x = b` instead; false by default. */
  readonly transpose?: boolean;
}

type Attrs = Required<TriangularSolveOptions>;

/** Whether the last row is solved first. */
function backwards({ upper, transpose }: Attrs): boolean {
  return upper !== transpose;
}

/**
 * Strides by which the shaders read `size` padded rows as a lower triangle: an upper one with its rows and columns in
 * reverse.
 */
function strides(size: number, width: number, attrs: Attrs) {
  const [row, col] = attrs.transpose ? [1, width] : [width, 1];
  if (!backwards(attrs)) return { base: 0, row, col, flip: 0 };
  return { base: (size - 1) * (width + 1), row: -row, col: -col, flip: size - 1 };
}

/** `−b` with whole vectors and `size` rows, to be overwritten. */
function workOf(b: Tensor, size: number): Tensor {
  const [rows, cols] = b.shape as [number, number];
  const work = new Tensor(b.device, [size, padded(cols)]);
  b.device.dispatch(START, {
    params: { rows, cols, vectors: padded(cols) / 4, size: work.size / 4 },
    buffers: { 1: b.storage, 2: work.storage },
    workgroups: b.device.groups(work.size / 4, 64),
  });
  return work;
}

/** A solve under way: `a` with whole vectors, the work, the solution, the inverses, and what their shaders are told. */
interface Solve {
  readonly a: Tensor;
  readonly work: Tensor;
  readonly x: Tensor;
  readonly inverses: Tensor;
  readonly attrs: Attrs;
  readonly params: Readonly<Record<Exclude<keyof typeof lib_triangle.params, "first">, number>>;
}

function solve(matrix: Tensor, b: Tensor, attrs: Attrs): Tensor {
  const { device } = matrix;
  const [n, cols] = b.shape as [number, number];
  const step = n <= GROUP ? BLOCK : GROUP;
  const size = Math.ceil(n / step) * step;
  const a = resizeRows(matrix, padded(n));
  const work = workOf(b, size);
  const x = new Tensor(device, work.shape);
  const inverses = new Tensor(device, [size / BLOCK, BLOCK, BLOCK]);
  const params = { n, ...strides(size, padded(n), attrs), vectors: work.shape[1]! / 4, until: size };
  device.dispatch(INVERT, {
    params: { ...params, first: 0 },
    buffers: { 1: a.storage, 2: inverses.storage },
    workgroups: [size / BLOCK, 1, 1],
  });
  const state = { a, work, x, inverses, attrs, params };
  for (let first = 0; first < size; first += GROUP) {
    const until = Math.min(first + GROUP, size);
    if (first > 0) collect(state, n, first, until);
    solveGroup(state, first, until);
  }
  return resizeRows(x, cols, [n, cols]);
}

/** Rows [first, until) of the triangle, block by block. */
function solveGroup({ a, work, x, inverses, params }: Solve, first: number, until: number): void {
  const { device } = a;
  const form = rowForm(device);
  const { vectors } = params;
  for (let block = first; block < until; block += BLOCK) {
    device.dispatch(APPLY[form], {
      params: { ...params, first: block, until },
      buffers: { 2: inverses.storage, 3: work.storage, 4: x.storage },
      workgroups: sumTiles(device, BLOCK, vectors),
    });
    const rows = until - block - BLOCK;
    if (rows === 0) break;
    device.dispatch(UPDATE[form], {
      params: { ...params, first: block, until },
      buffers: { 1: a.storage, 3: work.storage, 4: x.storage },
      workgroups: sumTiles(device, rows, vectors),
    });
  }
}

/** Adds what the solution has so far to the rows of a group, `work[group] += t[group, solved] x[solved]`. */
function collect({ a, work, x, attrs }: Solve, n: number, first: number, until: number): void {
  const [size, cols] = work.shape as [number, number];
  // Rows in memory: backwards, the first of the triangle are the last.
  const back = backwards(attrs);
  const [low, high] = back ? [size - until, size - first] : [first, Math.min(until, n)];
  const [solved, inner] = back ? [high, n - high] : [0, low];
  const width = a.shape[1]!;
  productPadded({
    a,
    b: x,
    sizes: { rows: high - low, cols, inner },
    layout: strided({
      a: { row: width, matrix: 0, from: attrs.transpose ? solved * width + low : low * width + solved },
      b: { row: cols, matrix: 0, from: solved * cols },
      c: { row: cols, matrix: 0, from: low * cols },
      size: size * cols,
    }, { transposeA: attrs.transpose }),
    epilogue: { into: work },
  });
}

/** `−m` in the triangle, 0 outside. */
function negatedTriangle(m: Tensor, upper: boolean): Tensor {
  const n = m.shape[0]!;
  const out = new Tensor(m.device, [n, n]);
  m.device.dispatch(MASK, {
    params: { n, upper: upper ? 1 : 0, scale: -1 },
    buffers: { 1: m.storage, 2: out.storage },
    workgroups: m.device.groups(n * n, 64),
  });
  return out;
}

const triangularSolveOp = defineOp<[Tensor, Tensor], Attrs>({
  name: "triangularSolve",
  forward(context, [a, b], attrs) {
    const x = solve(a, b, attrs);
    context.save(a, x);
    return x;
  },
  // grad_b = op(a)⁻ᵀ grad_x; grad_op(a) = −grad_b xᵀ, of which only the triangle counts.
  backward({ saved: [a, x], needsGrad }, grad, attrs) {
    const gradB = solve(a!, grad, { ...attrs, transpose: !attrs.transpose });
    if (!needsGrad[0]) return [null, gradB];
    const [left, right] = attrs.transpose ? [x!, gradB] : [gradB, x!];
    return [negatedTriangle(matmul(left, right, { transposeB: true }), attrs.upper), gradB];
  },
});

/**
 * Solves `a x = b`, or `aᵀ x = b`, for a triangular matrix and many right-hand sides.
 *
 * Blocked: the diagonal blocks of 32 rows are inverted, all else is matrix products.
 *
 * @param a Triangular matrix, f32 `[n, n]`; only the triangle named by `options` is read. A 0 on its diagonal gives
 *   infinities or NaN.
 * @param b Right-hand sides, f32 `[n, m]`.
 * @param options `upper` and `transpose`, both false by default; with keyword names, so no confusion of the two.
 * @returns x, f32 `[n, m]`.
 * @throws {TypeError} If the shapes do not fit or a dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor, triangularSolve } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = triangularSolve(tensor([[2, 0], [1, 4]]), tensor([[2], [9]]));
 * assertEquals(await x.data(), new Float32Array([1, 2]));
 * ```
 *
 * @see `torch.linalg.solve_triangular`.
 */
export function triangularSolve(a: Tensor, b: Tensor, options: TriangularSolveOptions = {}): Tensor<"f32"> {
  checkOptions("compute triangularSolve()", options, ["upper", "transpose"]);
  checkSystem("triangularSolve", "a", a, b);
  return triangularSolveOp([a, b], { upper: options.upper ?? false, transpose: options.transpose ?? false });
}

/**
 * Solves `(l lᵀ) x = b` by two triangular solves.
 *
 * @param l Lower factor from {@linkcode cholesky}, f32 `[n, n]`.
 * @param b Right-hand sides, f32 `[n, m]`.
 * @returns x, f32 `[n, m]`; NaN when `l` is the factor of a matrix that is not positive definite.
 * @throws {TypeError} If the shapes do not fit or a dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { cholesky, choleskySolve, Device, tensor } from "@decoupled/uniformity";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * const x = choleskySolve(cholesky(tensor([[4, 2], [2, 10]])), tensor([[6], [12]]));
 * assertClose(await x.data(), [1, 1]);
 * ```
 *
 * @see `torch.cholesky_solve`, whose arguments are in the other order.
 */
export function choleskySolve(l: Tensor, b: Tensor): Tensor<"f32"> {
  checkSystem("choleskySolve", "l", l, b);
  return triangularSolve(l, triangularSolve(l, b), { transpose: true });
}

function checkSystem(op: string, name: string, a: Tensor, b: Tensor): void {
  if (a.rank !== 2 || a.shape[0] !== a.shape[1] || b.rank !== 2 || b.shape[0] !== a.shape[0]) {
    throw new TypeError(
      `Cannot compute ${op}() as ${name} must be [n, n] and b [n, m]: got ${name} [${a.shape}] and b [${b.shape}]`,
    );
  }
  checkFloat(op, a, b);
}
