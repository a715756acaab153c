// Iterative refinement of a hat matrix.
import { defineProgram } from "../../device/mod.ts";
import { hat_refine as code, lib_flat, lib_rows } from "../../shaders/gen.ts";
import { Tensor } from "../../tensor/mod.ts";
import { laneForm } from "../shared/lanes.ts";
import { matmul } from "../product/matmul.ts";
import { padded, productPadded, resizeRows } from "../product/product.ts";
import { reduce } from "../shared/reduce.ts";
import { rowConstants } from "../shared/rows.ts";

/** How far a row may move, relative to its largest element: the error that is left is about the square of that. */
const MOST_MOVED = 0.25;
/** WGSL has no literal for it. */
const NAN_BITS = 0x7fc00000;

function program(entryPoint: string) {
  return defineProgram({ name: "hatRefine", code: [lib_flat, lib_rows, code], entryPoint });
}

const SPLIT = program("split");
const SUBTRACT = program("subtract");
const CORRECT = program("correct");
const JUDGE = program("judge");
const FINISH = program("finish");

/** What shaders/linalg/hat_refine.wgsl binds. */
interface Arrays {
  readonly x: Tensor;
  readonly y?: Tensor;
  readonly w?: Tensor;
  readonly on?: Tensor;
  readonly u: Tensor;
  readonly v?: Tensor;
}

/** An approximation of a hat matrix. */
interface Approximation {
  /** `[n, n]`, symmetric: the matrix, less the identity in the columns whose diagonal exceeds 1/2. */
  readonly z: Tensor;
  /** Its diagonal, at least n elements. */
  readonly on: Tensor;
  /** Minus the inverse of the factor that it was made of, `[size, size]`, size ≥ n, lower triangular. */
  readonly m: Tensor;
}

/**
 * `(a + ridge I)⁻¹ a`, `[n, n]`, by one step of refinement of an approximation; NaN where the step is too large for what it
 * leaves to be small.
 *
 * @param a `[n, n]`, its lower triangle.
 */
export function refined(a: Tensor, { z, on, m }: Approximation, ridge: number): Tensor {
  const { device } = a;
  const n = a.shape[0]!;
  const bits = Math.floor((24 - Math.ceil(Math.log2(n))) / 2); // n products of numbers of so many bits make 24
  const sizes = { n, bits, ridge, most: MOST_MOVED, nan_bits: NAN_BITS };
  const constants = rowConstants(device, n);
  const matrix = () => new Tensor(device, [n, n]);
  const dispatch = (program: typeof SPLIT, { x, y, w, on, u, v }: Arrays) => {
    const rows = program === SPLIT || program === JUDGE;
    device.dispatch(rows ? laneForm(device, program, constants.LANES) : program, {
      params: sizes,
      buffers: { 1: x.storage, 2: y?.storage, 3: w?.storage, 4: on?.storage, 5: u.storage, 6: v?.storage },
      workgroups: rows ? device.groups(n, constants.ROWS) : device.groups(n * n, 64),
      constants: rows ? constants : undefined,
    });
  };
  const [a1, a2, z1, z2] = [matrix(), matrix(), matrix(), matrix()];
  dispatch(SPLIT, { x: a, u: a1, v: a2 });
  dispatch(SPLIT, { x: z, u: z1, v: z2 });
  const [r, middle, small] = [[a1, z1], [a1, z2], [a2, z]].map(([p, q]) => matmul(p!, q!, { transposeB: true }));
  dispatch(SUBTRACT, { x: a1, y: a2, on, u: r! });
  dispatch(CORRECT, { x: z, y: middle!, w: small!, on, u: r! });
  const d = solved(m, r!, n);
  const moved = new Tensor(device, [n]);
  dispatch(JUDGE, { x: d, y: z, on, u: moved });
  const h = matrix();
  dispatch(FINISH, { x: d, y: z, w: reduce("max", moved, [0]), on, u: h });
  return h;
}

/** `mᵀ m r`, `[n, n]`. */
function solved(m: Tensor, r: Tensor, n: number): Tensor {
  const columns = padded(n);
  const row = { row: columns, matrix: 0 };
  const strides = { a: { row: m.shape[1]!, matrix: 0 }, b: row, c: row, size: n * columns };
  const sizes = { a: m, rows: n, cols: n, inner: n, strides } as const;
  const once = productPadded({ ...sizes, b: resizeRows(r, columns), triangles: { toRow: true } });
  const twice = productPadded({ ...sizes, b: once, transposeA: true, triangles: { fromRow: true } });
  return resizeRows(twice.alias([n, columns]), n);
}
