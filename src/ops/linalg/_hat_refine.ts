// Iterative refinement of a hat matrix: factor and inverse are taken to more bits than f32 holds, with triangular
// products alone, of operands that are cut in two so that the sums are exact (an error-free transformation).
import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_rows } from "../../shaders/lib.ts";
import { hat_refine as code } from "../../shaders/linalg.ts";
import { Tensor } from "../../tensor/mod.ts";
import { mul } from "../elementwise/binary.ts";
import { strided } from "../product/layout.ts";
import { productPadded, type Triangles } from "../product/product.ts";
import { laneForm } from "../shared/lanes.ts";
import { reduce } from "../shared/reduce.ts";
import { rowConstants } from "../shared/rows.ts";
import { NAN_BITS } from "../shared/params.ts";

/** Maximum number of passes; each squares the error, and is left out where that is negligible. */
const PASSES = 3;
/** Largest share of a row's diagonal that the second order, which is left out, may be. */
const MOST_MISSED = 1e-3;
/** The least ridge of which the square root of the inverse is a bound that counts. */
const LEAST_RIDGE = 2 ** -80;

function program(entryPoint: string) {
  return defineProgram({ name: "hatRefine", code: [lib_flat, lib_rows, code], entryPoint });
}

/** Elements of a workgroup. */
const CHUNK = 1024;

const DECIDE = program("decide");
const AGAIN = program("again");
const SPLIT = program("split");
const START = program("start");
const CLEAR = program("clear");
const NEGATE = program("negate");
const SHIFT = program("shift");
const MIRROR = program("mirror");
const COMBINE = program("combine");
const CORRECT = program("correct");
const RECUT = program("recut");
const JOIN = program("join");
const MEASURE = program("measure");
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
  /** Gate `[4]`: the first number is not 0 where a pass is left out, the second where the first pass was. */
  #gate: Tensor;
  readonly #first: Tensor;

  constructor({ a, m, pOn, aOn }: Parts, ridge: number) {
    [this.#a, this.#n, this.#size, this.#ridge] = [a, a.shape[0]!, m.shape[0]!, Math.fround(ridge)];
    const gate = this.#gate = this.#first = new Tensor(a.device, [4]);
    this.dispatch(DECIDE, { x: reduce("max", pOn, [0]), u: gate, z: reduce("max", aOn, [0]) }, {}, 1);
  }

  matrix(): Tensor {
    return new Tensor(this.#a.device, [this.#size, this.#size]);
  }

  /** Dispatches a program over [size, size], or over the given number of workgroups. */
  dispatch(program: typeof SPLIT, { x, y, w, on, u, v, z }: Arrays, settings: Settings = {}, groups?: number): void {
    const { device } = this.#a;
    const [n, size, ridge] = [this.#n, this.#size, this.#ridge];
    const ridge_high = new Float32Array(Uint32Array.of(bits(ridge) & 0xfffff000).buffer)[0]!;
    const fixed = { n, size, ridge, ridge_high, most: MOST_MISSED, nan_bits: NAN_BITS };
    const rows = program === MEASURE ? rowConstants(device, n) : undefined;
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

  /** Makes `x I`. */
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

  /** Minus the inverse of the factor, in parts. */
  inverse({ m }: Parts): Inverse {
    const [m1, m2] = this.split(m, { by: 2, bound: this.bound });
    const u = this.matrix();
    this.dispatch(CLEAR, { x: m, u });
    return { m: u, m1, m2 };
  }

  /** Largest square of a norm in the inverse. */
  get bound(): number {
    return 1 / Math.max(this.#ridge, LEAST_RIDGE);
  }

  /** Parts of the factor by columns. */
  factor({ l, wide }: Parts): [high: Tensor, low: Tensor] {
    return this.split(wide, { by: 1 }, reduce("sum", mul(l, l), [0]));
  }

  /** `a + ridge I − l lᵀ`, both triangles. */
  factorError({ a, l, wide }: Parts): Tensor {
    const [l1, rest] = this.split(wide, { by: 0 }, reduce("sum", mul(l, l), [1]));
    const [l2, l3] = this.split(rest, { by: 0 }, reduce("sum", mul(rest, rest), [1]));
    const how = { toCol: true, transposeB: true };
    const [negative, error] = [this.matrix(), this.matrix()];
    this.dispatch(NEGATE, { x: a, u: negative });
    this.product(l1, l1, how, negative);
    this.dispatch(SHIFT, { u: negative }, {}, Math.ceil(this.#n / 64));
    for (const [x, y] of [[l1, l2], [l2, l1]] as const) this.product(x, y, how, negative); // exact
    for (const [x, y] of [[l1, l3], [l3, l1], [rest, rest]] as const) this.product(x, y, how, negative);
    this.dispatch(MIRROR, { x: negative, u: error });
    return free(error, negative, l1, l2, l3, rest);
  }

  /** Corrects the inverse to the first order of what it and the factor lack, and says what that misses. */
  correct({ m, m1, m2 }: Inverse, error: Tensor, [l1, l2]: readonly [Tensor, Tensor]): Corrected {
    const below = { toRow: true, fromCol: true };
    const negated = this.product(m1, l1, below, this.diagonal(1)); // −(m l) − I, negated
    this.product(m, l2, below, negated);
    this.product(m2, l1, below, negated);
    const once = this.product(m, error, { toRow: true }, this.diagonal(0));
    const square = { toCol: true, transposeB: true };
    const sum = this.product(once, m, square, this.diagonal(0));
    this.product(negated, negated, square, sum);
    this.dispatch(COMBINE, { x: negated, u: sum });
    const moved = this.product(sum, m, below, this.diagonal(0));
    const [q, right] = [this.matrix(), this.matrix()];
    this.dispatch(CORRECT, { x: moved, y: m2, w: m1, u: q, v: right });
    const missed = new Tensor(m.device, [this.#n]);
    this.dispatch(MEASURE, { x: moved, v: missed });
    return free({ m: right, m1, m2: q, missed }, negated, once, sum, m, m2, moved);
  }

  /** Cuts a corrected inverse anew, and leaves a second pass out where the error of the first is negligible. */
  recut({ m, m1, m2, missed }: Corrected): Inverse {
    const gate = new Tensor(m.device, [4]);
    this.dispatch(AGAIN, { x: reduce("max", missed, [0]), u: gate }, {}, 1);
    this.#gate = gate;
    const [high, low] = [this.matrix(), this.matrix()];
    this.dispatch(RECUT, { x: m, w: m1, u: high, v: low }, { bound: this.bound });
    this.dispatch(JOIN, { x: m2, u: low });
    return free({ m, m1: high, m2: low }, m1, m2, missed);
  }

  /** The inverse of the matrix, of that of its factor: `m1ᵀ m1`, and the rest of `mᵀ m`. */
  squares({ m, m1, m2 }: Inverse): [p1: Tensor, p2: Tensor] {
    this.#gate = this.#first;
    const how = { transposeA: true, fromRow: true };
    const p1 = this.product(m1, m1, how);
    const p2 = this.product(m2, m, how, this.product(m1, m2, how, this.diagonal(0)));
    return free([p1, p2], m, m1, m2);
  }
}

/** Minus the inverse, and its parts. */
type Inverse = Readonly<Record<"m" | "m1" | "m2", Tensor>>;

/** The inverse after a pass, and what that missed. */
type Corrected = Inverse & Readonly<Record<"missed", Tensor>>;

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
  const [error, factor] = [run.factorError(parts), run.factor(parts)];
  let inverse = run.correct(run.inverse(parts), error, factor);
  for (let pass = 1; pass < PASSES; pass++) inverse = run.correct(run.recut(inverse), error, factor);
  free(null, error, ...factor);
  const [p1, p2] = run.squares(inverse);
  const [near, missed] = [vector(), vector()];
  run.dispatch(NEAR, { y: p1, u: near }, {}, Math.ceil(n / 64));
  run.dispatch(
    JUDGE,
    { x: inverse.missed, y: p1, w: p2, on: near, u: diagonal, v: missed, z: a },
    {},
    Math.ceil(n / 64),
  );
  const h = new Tensor(a.device, [n, n]);
  run.dispatch(
    FINISH,
    { y: p1, w: p2, on: diagonal, u: h, z: reduce("max", missed, [0]) },
    {},
    Math.ceil(n * n / CHUNK),
  );
  return free(h, p1, p2);
}

/** Frees the tensors that a result was made of, and returns it. */
function free<T>(result: T, ...used: Tensor[]): T {
  for (const each of used) each.dispose();
  return result;
}

function bits(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0]!;
}
