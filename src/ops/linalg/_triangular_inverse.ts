// The inverse of a triangular matrix, by doubling: blocks of 64 rows are inverted, then every two neighbours are joined.
import { defineProgram } from "../../device/mod.ts";
import { lib_block, lib_flat } from "../../shaders/lib.ts";
import { triangular_inverse as code } from "../../shaders/linalg.ts";
import { Tensor } from "../../tensor/mod.ts";
import { strided } from "../product/layout.ts";
import { productPadded } from "../product/product.ts";

/** Rows of a block that is inverted in one go. */
const BLOCK = 64;

function program(entryPoint: string) {
  return defineProgram({ name: "triangularInverse", code: [lib_flat, lib_block, code], entryPoint });
}

const START = program("start");
const PLACE = program("place_pairs");

/**
 * `−t⁻¹` of a lower triangular t, in the first n rows and columns of a matrix whose size is a multiple of 64. Above
 * the diagonal it is 0 as far as tiles of products reach, undefined elsewhere. n³/3 operations, nearly all of them in matrix products.
 *
 * @param t `[n, columns]`, its rows padded to a multiple of 64; what is above the diagonal is not read.
 */
export function negatedInverse(t: Tensor): Tensor {
  const [n, columns] = t.shape as [number, number];
  const size = Math.ceil(n / BLOCK) * BLOCK;
  const m = new Tensor(t.device, [size, size]);
  t.device.dispatch(START, {
    params: { n, columns, size, first: 0, half: 0, rows: 0, pairs: 0 },
    buffers: { 1: t.storage, 2: m.storage },
    workgroups: [size / BLOCK, 1, 1],
  });
  for (let half = BLOCK; half < n; half *= 2) {
    const pairs = Math.floor(n / (2 * half));
    const rest = n - pairs * 2 * half - half;
    if (pairs > 0) join(t, m, { first: 0, half, rows: half, pairs });
    if (rest > 0) join(t, m, { first: pairs * 2 * half, half, rows: rest, pairs: 1 });
  }
  return m;
}

/** Pairs of neighbouring blocks, the upper one of `half` rows, the lower one of `rows`. */
interface Pairs {
  /** Row where the first pair starts. */
  readonly first: number;
  readonly half: number;
  readonly rows: number;
  readonly pairs: number;
}

/** Joins pairs: with t = [p 0; q r], what is below the diagonal of m is `r⁻¹ q p⁻¹ = (−r⁻¹) (q (−p⁻¹))`. */
function join(t: Tensor, m: Tensor, pairs: Pairs): void {
  const { first, half, rows, pairs: count } = pairs;
  const [width, size] = [t.shape[1]!, m.shape[1]!];
  const order = { batch: { sizes: [1, 1, count], a: [0, 0, 1], b: [0, 0, 1] } } as const;
  const block = { row: half, matrix: rows * half };
  const inT = { row: width, matrix: 2 * half * (width + 1) };
  const inM = { row: size, matrix: 2 * half * (size + 1) };
  const total = count * rows * half;
  const middle = productPadded({
    a: t,
    b: m,
    sizes: { rows, cols: half, inner: half, triangles: { fromCol: true } },
    layout: strided({
      a: { ...inT, from: (first + half) * width + first },
      b: { ...inM, from: first * (size + 1) },
      c: block,
      size: total,
    }, order),
  });
  const below = productPadded({
    a: m,
    b: middle,
    sizes: { rows, cols: half, inner: rows, triangles: { toRow: true } },
    layout: strided({ a: { ...inM, from: (first + half) * (size + 1) }, b: block, c: block, size: total }, order),
  });
  m.device.dispatch(PLACE, {
    params: { n: 0, columns: 0, size, ...pairs },
    buffers: { 2: m.storage, 3: below.storage },
    workgroups: m.device.groups(total / 4, 64),
  });
  middle.dispose();
  below.dispose();
}
