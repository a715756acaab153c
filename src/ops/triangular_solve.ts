import type { Program } from "../device/mod.ts";
import {
  copy as copyCode,
  lib_block,
  lib_flat,
  lib_triangle,
  triangle_mask as maskCode,
  triangular_solve as code,
  triangular_solve_apply as apply,
  triangular_solve_update as update,
} from "../device/shaders.gen.ts";
import { defineOp } from "../autograd/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { checkFloat } from "./_check.ts";
import { matmul } from "./matmul.ts";
import { padded, resizeRows } from "./_product.ts";
import { rowForm, sumForms, sumTiles } from "./_row_forms.ts";

/** Rows of a block. */
const BLOCK = 32;
const PARAMS = { n: "u32", base: "i32", row: "i32", col: "i32", flip: "u32", first: "u32", vectors: "u32" } as const;

const INVERT: Program = {
  name: "triangularSolve",
  code: [lib_triangle, lib_block, code],
  entryPoint: "invert",
  params: PARAMS,
};
const APPLY = sumForms("triangularSolveApply", [lib_triangle, apply], PARAMS);
const UPDATE = sumForms("triangularSolveUpdate", [lib_triangle, update], PARAMS);
const COPY: Program = {
  name: "copy",
  code: [lib_flat, copyCode],
  entryPoint: "copy",
  params: { size: "u32", offset: "u32" },
};
const MASK: Program = {
  name: "triangleMask",
  code: [lib_flat, maskCode],
  entryPoint: "mask",
  params: { n: "u32", upper: "u32", scale: "f32" },
};

/** Options of {@linkcode triangularSolve}. */
export interface TriangularSolveOptions {
  /** Whether `a` is upper triangular; lower by default. The other triangle is not read. */
  readonly upper?: boolean;
  /** Solve `aᵀ x = b` instead; false by default. */
  readonly transpose?: boolean;
}

type Attrs = Required<TriangularSolveOptions>;

/** How the shaders read the matrix as a lower triangle: an upper one with its rows and columns in reverse. */
function strides(n: number, { upper, transpose }: Attrs): { base: number; row: number; col: number; flip: number } {
  const [row, col] = transpose ? [1, n] : [n, 1];
  if (upper === transpose) return { base: 0, row, col, flip: 0 };
  return { base: (n - 1) * (n + 1), row: -row, col: -col, flip: n - 1 };
}

/** A copy with rows padded to whole vectors, to be overwritten. */
function workingCopy(b: Tensor): Tensor {
  const wide = resizeRows(b, padded(b.shape[1]!));
  if (wide !== b) return wide;
  const copy = new Tensor(b.device, b.shape);
  b.device.dispatch(COPY, {
    params: { size: b.size, offset: 0 },
    buffers: { 1: b.storage, 2: copy.storage },
    workgroups: b.device.groups(b.size, 64),
  });
  return copy;
}

function solve(a: Tensor, b: Tensor, attrs: Attrs): Tensor {
  const { device } = a;
  const [n, width] = b.shape as [number, number];
  const work = workingCopy(b);
  const x = new Tensor(device, work.shape);
  const vectors = work.shape[1]! / 4;
  const blocks = Math.ceil(n / BLOCK);
  const inverses = new Tensor(device, [blocks, BLOCK, BLOCK]);
  const params = { n, ...strides(n, attrs), vectors };
  const form = rowForm(device);
  device.dispatch(INVERT, {
    params: { ...params, first: 0 },
    buffers: { 1: a.storage, 2: inverses.storage },
    workgroups: [blocks, 1, 1],
  });
  for (let first = 0; first < n; first += BLOCK) {
    device.dispatch(APPLY[form], {
      params: { ...params, first },
      buffers: { 2: inverses.storage, 3: work.storage, 4: x.storage },
      workgroups: sumTiles(device, Math.min(BLOCK, n - first), vectors),
    });
    const rows = n - first - BLOCK;
    if (rows <= 0) break;
    device.dispatch(UPDATE[form], {
      params: { ...params, first },
      buffers: { 1: a.storage, 3: work.storage, 4: x.storage },
      workgroups: sumTiles(device, rows, vectors),
    });
  }
  return resizeRows(x, width, [n, width]);
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
 * Blocked: the diagonal blocks of 32 rows are inverted, the rest are matrix products.
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
export function triangularSolve(a: Tensor, b: Tensor, options: TriangularSolveOptions = {}): Tensor {
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
export function choleskySolve(l: Tensor, b: Tensor): Tensor {
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
