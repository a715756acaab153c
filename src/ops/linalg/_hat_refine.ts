// Iterative refinement of a hat matrix: factor and inverse are taken to more bits than f32 holds, with triangular
// products alone, of operands that are cut in two so that the sums are exact (an error-free transformation).
import { defineProgram } from "../../device/mod.ts";
import { hat_refine as code, lib_flat, lib_rows } from "../../shaders/gen.ts";
import { Tensor } from "../../tensor/mod.ts";
import { mul } from "../elementwise/binary.ts";
import { strided } from "../product/layout.ts";
import { productPadded, type Triangles } from "../product/product.ts";
import { laneForm } from "../shared/lanes.ts";
import { reduce } from "../shared/reduce.ts";
import { rowConstants } from "../shared/rows.ts";

/** Largest share of a row's diagonal that the second order, which is left out, may be. */
const MOST_MISSED = 0.02;
/** WGSL has no literal for it. */
const NAN_BITS = 0x7fc00000;
/** The least ridge of which the square root of the inverse is a bound that counts. */
const LEAST_RIDGE = 2 ** -80;

function program(entryPoint: string) {
  return defineProgram({ name: "hatRefine", code: [lib_flat, lib_rows, code], entryPoint });
}

/** Elements of a workgroup. */
const CHUNK = 1024;

const DECIDE = program("decide");
const SPLIT = program("split");
const START = program("start");
const CLEAR = program("clear");
const NEGATE = program("negate");
const SHIFT = program("shift");
const MIRROR = program("mirror");
const COMBINE = program("combine");
const CORRECT = program("correct");
const NEAR = program("near");
const JUDGE = program("judge");
const FINISH = program("finish");

/** Matrices that a hat matrix is made of. */
interface Parts {
  /** The matrix, `[n, n]`, its lower triangle. */
  readonly a: Tensor;
  /** Cholesky factor, `[n, n]`. */
  readonly l: Tensor;
  /** Cholesky factor with its rows padded to `size`. */
  readonly wide: Tensor;
  /** Minus the inverse of the factor, `[size, size]`, size ≥ n a multiple of 64. */
  readonly m: Tensor;
  /** The diagonal of the hat matrix where the ridge is large, `[n]`; is written to. */
  readonly diagonal: Tensor;
  /** The diagonal of `(a + ridge I)⁻¹`, `[n]`. */
  readonly pOn: Tensor;
  /** The diagonal of a, `[n]`. */
  readonly aOn: Tensor;
}

/** Arrays as shaders/linalg/hat_refine.wgsl binds them. */
type Arrays = Readonly<Partial<Record<"x" | "y" | "w" | "on" | "u" | "v" | "z", Tensor>>>;

/** Settings that not all programs read. */
interface Settings {
  readonly columns?: number;
  readonly by?: 0 | 1 | 2;
  readonly bound?: number;
  readonly ridge?: number;
}

/** The dispatches for one size. */
class Refinement {
  readonly #a: Tensor;
  readonly #n: number;
  readonly #size: number;
  readonly #ridge: number;
  /** `[4]`, the first number not 0 where all but the inverse is left out. */
  readonly #gate: Tensor;

  constructor({ a, m, pOn, aOn }: Parts, ridge: number) {
    [this.#a, this.#n, this.#size, this.#ridge] = [a, a.shape[0]!, m.shape[0]!, Math.fround(ridge)];
    const gate = this.#gate = new Tensor(a.device, [4]);
    this.dispatch(DECIDE, { x: reduce("max", pOn, [0]), u: gate, z: reduce("max", aOn, [0]) }, {}, 1);
  }

  matrix(): Tensor {
    return new Tensor(this.#a.device, [this.#size, this.#size]);
  }

  /** Dispatches a program over [size, size], or over as many workgroups as told. */
  dispatch(program: typeof SPLIT, { x, y, w, on, u, v, z }: Arrays, settings: Settings = {}, groups?: number): void {
    const { device } = this.#a;
    const [n, size, ridge] = [this.#n, this.#size, this.#ridge];
    const ridge_high = new Float32Array(Uint32Array.of(bits(ridge) & 0xfffff000).buffer)[0]!;
    const fixed = { n, size, ridge, ridge_high, most: MOST_MISSED, nan_bits: NAN_BITS };
    const rows = program === JUDGE ? rowConstants(device, n) : undefined;
    device.dispatch(rows ? laneForm(device, program, rows.LANES) : program, {
      params: { columns: size, by: 0, bound: 0, ...fixed, ...settings },
      buffers: {
        1: x?.storage,
        2: y?.storage,
        3: w?.storage,
        4: on?.storage,
        5: u?.storage,
        6: v?.storage,
        7: z?.storage,
        8: program === DECIDE ? undefined : this.#gate.storage,
      },
      workgroups: rows ? device.groups(n, rows.ROWS) : device.groups(groups ?? Math.ceil(size * size / CHUNK), 1),
      constants: rows,
    });
  }

  /** High and low parts of a lower triangle. */
  split(x: Tensor, settings: Settings, norms = x): [high: Tensor, low: Tensor] {
    const [u, v] = [this.matrix(), this.matrix()];
    this.dispatch(SPLIT, { x, y: norms, u, v }, { columns: x.shape[1]!, ...settings });
    return [u, v];
  }

  /** `x I`. */
  diagonal(x: number): Tensor {
    const u = this.matrix();
    this.dispatch(START, { u }, { ridge: x });
    return u;
  }

  /** The lower triangle of a product, or adds it to `into`, unless it is left out. */
  product(a: Tensor, b: Tensor, how: Transposes & Triangles, into?: Tensor): Tensor {
    const { transposeA, transposeB, ...triangles } = how;
    const row = { row: this.#size, matrix: 0 };
    return productPadded({
      a,
      b,
      sizes: {
        rows: this.#n,
        cols: this.#n,
        inner: this.#size, // zeros past n
        triangles: { ...triangles, lower: true },
      },
      layout: strided({ a: row, b: row, c: row, size: this.#size ** 2 }, { transposeA, transposeB }),
      epilogue: into && { into, gate: this.#gate },
    });
  }

  /** The lower triangle of x `[size, size]`, zeros elsewhere. */
  cleared(x: Tensor): Tensor {
    const u = this.matrix();
    this.dispatch(CLEAR, { x, u });
    return u;
  }

  /** Computes the negated residual of the inverse, `−(m l) − I`. */
  inverseError({ l, wide }: Parts, { m, m1, m2 }: Inverse): Tensor {
    const [l1, l2] = this.split(wide, { by: 1 }, reduce("sum", mul(l, l), [0]));
    const how = { toRow: true, fromCol: true };
    const error = this.product(m1, l1, how, this.diagonal(1));
    this.product(m, l2, how, error);
    return free(this.product(m2, l1, how, error), l1, l2);
  }

  /** `m (a + ridge I − l lᵀ) mᵀ`. */
  factorError({ a, l, wide }: Parts, m: Tensor): Tensor {
    const [l1, l2] = this.split(wide, { by: 0 }, reduce("sum", mul(l, l), [1]));
    const how = { toCol: true, transposeB: true };
    const [negative, error] = [this.matrix(), this.matrix()];
    this.dispatch(NEGATE, { x: a, u: negative });
    this.product(l1, l1, how, negative);
    this.dispatch(SHIFT, { u: negative }, {}, Math.ceil(this.#n / 64));
    this.product(wide, l2, how, negative);
    this.product(l2, l1, how, negative);
    this.dispatch(MIRROR, { x: negative, u: error });
    free(error, negative, l1, l2);
    const once = free(this.product(m, error, { toRow: true }, this.diagonal(0)), error);
    return free(this.product(once, m, how, this.diagonal(0)), once);
  }
}

/** Minus the inverse, and its parts. */
type Inverse = Readonly<Record<"m" | "m1" | "m2", Tensor>>;

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** `(a + ridge I)⁻¹ a`, `[n, n]`; NaN where what is left out is not small. */
export function refined(parts: Parts, ridge: number): Tensor {
  const { a, diagonal } = parts;
  const n = a.shape[0]!;
  const vector = () => new Tensor(a.device, [n]);
  const run = new Refinement(parts, ridge);
  const [m1, m2] = run.split(parts.m, { by: 2, bound: 1 / Math.max(ridge, LEAST_RIDGE) });
  const m = run.cleared(parts.m);
  const inverseError = run.inverseError(parts, { m, m1, m2 });
  const sum = run.factorError(parts, m);
  run.dispatch(COMBINE, { x: inverseError, u: sum });
  const moved = free(run.product(sum, m, { toRow: true, fromCol: true }, run.diagonal(0)), inverseError, sum);
  const [q, right] = [run.matrix(), run.matrix()];
  run.dispatch(CORRECT, { x: moved, y: m2, w: m1, u: q, v: right });
  const how = { transposeA: true, fromRow: true };
  const p1 = run.product(m1, m1, how);
  const p2 = run.product(q, right, how, run.product(m1, q, how, run.diagonal(0)));
  free(p2, m, m1, m2, q, right);
  const [near, missed] = [vector(), vector()];
  run.dispatch(NEAR, { y: p1, u: near }, {}, Math.ceil(n / 64));
  run.dispatch(JUDGE, { x: moved, y: p1, w: p2, on: near, u: diagonal, v: missed, z: a });
  const h = new Tensor(a.device, [n, n]);
  run.dispatch(
    FINISH,
    { y: p1, w: p2, on: diagonal, u: h, z: reduce("max", missed, [0]) },
    {},
    Math.ceil(n * n / CHUNK),
  );
  return free(h, moved, p1, p2);
}

/** A result, when what it was made of is let go. */
function free(result: Tensor, ...used: Tensor[]): Tensor {
  for (const each of used) each.dispose();
  return result;
}

function bits(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0]!;
}
