// Iterative refinement of a hat matrix: factor and inverse are taken to more bits than f32 holds, with triangular
// products alone, of operands that are cut so that the sums are exact (an error-free transformation).
import { defineProgram, type Workgroups } from "../../device/mod.ts";
import { lib_rows } from "../../shaders/lib.ts";
import { hat_refine as code } from "../../shaders/linalg.ts";
import { Tensor } from "../../tensor/mod.ts";
import { strided } from "../product/layout.ts";
import { productPadded, type Triangles } from "../product/product.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";
import { NAN_BITS } from "../shared/params.ts";

/** Maximum number of passes; each squares the error, and is left out where that is negligible. */
const PASSES = 3;
/** Largest share of a row's diagonal that the second order, which is left out, may be. */
const MOST_MISSED = 1e-3;
/** The least ridge of which the square root of the inverse is a bound that counts. */
const LEAST_RIDGE = 2 ** -80;

function program(entryPoint: string) {
  return defineProgram({ name: "hatRefine", code: [lib_rows, code], entryPoint });
}

/** Columns and rows of a workgroup, and the edge of a tile that is mirrored. */
const [WIDTH, HEIGHT, EDGE] = [256, 4, 32];

const DECIDE = program("decide");
const SPLIT_FACTOR = program("split_factor");
const ERROR = program("error");
const SPLIT_COLUMNS = program("split_columns");
const SPLIT_INVERSE = program("split_inverse");
const LACK = program("lack");
const COMBINE = program("combine");
const MEASURE = program("measure");
const CORRECT = program("correct");
const JUDGE = program("judge");
const FINISH = program("finish");

/** Matrices that a hat matrix is made of. */
interface Parts {
  /** The matrix, `[n, n]`, its lower triangle. */
  readonly a: Tensor;
  /** Cholesky factor with its rows padded to `size`. */
  readonly wide: Tensor;
  /** Minus the inverse of the factor, `[size, size]`, size ≥ n a multiple of 64; is written to. */
  readonly m: Tensor;
  /** The diagonal of the hat matrix where the ridge is large, `[n]`; is written to. */
  readonly diagonal: Tensor;
  /** The diagonal of `(a + ridge I)⁻¹`, `[n]`. */
  readonly pOn: Tensor;
  /** The diagonal of a, `[n]`. */
  readonly aOn: Tensor;
}

/** Arrays as shaders/linalg/hat_refine.wgsl binds them. */
type Arrays = Readonly<
  Partial<Record<"x" | "y" | "w" | "z" | "r" | "u" | "v" | "t" | "gate" | "flags" | "k", Tensor>>
>;

/** Parts of a matrix, the second 2¹² smaller. */
type Halves = readonly [high: Tensor, low: Tensor];

/** Minus the inverse, and its parts; corrected in place. */
type Inverse = Readonly<Record<"m" | "m1" | "m2", Tensor>>;

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Lower triangles: a product of two, and of one with another's transpose. */
const BELOW = { toRow: true, fromCol: true };
const SQUARE = { toCol: true, transposeB: true };

/** The dispatches for one size. */
class Refinement {
  readonly #parts: Parts;
  readonly #n: number;
  readonly #size: number;
  readonly #ridge: number;
  /** Gates `[4]` of the passes, and one that is open. */
  readonly #gates: readonly Tensor[];

  constructor(parts: Parts, ridge: number) {
    const { a, m, pOn: x, aOn: y } = parts;
    [this.#parts, this.#n, this.#size, this.#ridge] = [parts, a.shape[0]!, m.shape[0]!, Math.fround(ridge)];
    this.#gates = Array.from({ length: PASSES + 1 }, () => new Tensor(a.device, [4]));
    const [u, v, t, flags] = this.#gates;
    this.#dispatch(DECIDE, { x, y, u, v, t, flags }, [1, 1, 1]);
  }

  #matrix(): Tensor {
    return new Tensor(this.#parts.a.device, [this.#size, this.#size]);
  }

  #vector(): Tensor {
    return new Tensor(this.#parts.a.device, [this.#n]);
  }

  /** Dispatches a program over workgroups, or over the rows of [size, size]. */
  #dispatch(program: typeof ERROR, arrays: Arrays, workgroups?: Workgroups, ridge = this.#ridge): void {
    const { device } = this.#parts.a;
    const { x, y, w, z, r, u, v, t, gate, flags, k } = arrays;
    const [n, size] = [this.#n, this.#size];
    const ridge_high = new Float32Array(Uint32Array.of(bits(ridge) & 0xfffff000).buffer)[0]!;
    const norm = Math.sqrt(1 / Math.max(ridge, LEAST_RIDGE)); // the largest in the inverse
    const rows = program === MEASURE ? rowConstants(device, n) : undefined;
    device.dispatch(rows ? laneForm(device, program, rows.LANES) : program, {
      params: { n, size, norm, ridge, ridge_high, most: MOST_MISSED, nan_bits: NAN_BITS, none: 0 },
      buffers: {
        1: x?.storage,
        2: y?.storage,
        3: w?.storage,
        4: z?.storage,
        5: r?.storage,
        6: u?.storage,
        7: v?.storage,
        8: t?.storage,
        9: gate?.storage,
        10: flags?.storage,
        11: k?.storage,
      },
      workgroups: rows ? device.groups(n, rows.ROWS) : workgroups ?? [Math.ceil(size / WIDTH), size / HEIGHT, 1],
      constants: rows,
    });
  }

  /** The product, unless its gate leaves it out; its lower triangle unless that is said not to do. */
  #product(a: Tensor, b: Tensor, gate: Tensor, how: Transposes & Triangles): Tensor {
    const { transposeA, transposeB, ...triangles } = how;
    const [n, size] = [this.#n, this.#size];
    const row = { row: size, matrix: 0 };
    return productPadded({
      a,
      b,
      sizes: { rows: n, cols: size, inner: size, triangles: { lower: true, ...triangles } }, // zeros past n
      layout: strided({ a: row, b: row, c: row, size: size ** 2 }, { transposeA, transposeB }),
      epilogue: { gate },
    });
  }

  /** `a + ridge I − l lᵀ`, both triangles. */
  #factorError(gate: Tensor): Tensor {
    const { a, wide, aOn } = this.#parts;
    const [l1, l2, l3, k, error] = [0, 1, 2, 3, 4].map(() => this.#matrix()) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    this.#dispatch(SPLIT_FACTOR, { x: wide, y: aOn, u: l1, v: l2, t: l3, k, gate });
    const both = { ...SQUARE, toRow: true, lower: false };
    const y = this.#product(l1, l1, gate, SQUARE);
    const w = this.#product(l1, l2, gate, both);
    const z = this.#product(k, l3, gate, both);
    const r = this.#product(l2, l2, gate, SQUARE);
    this.#dispatch(ERROR, { x: a, y, w, z, r, u: error, gate });
    return free(error, l1, l2, l3, k, y, w, z, r);
  }

  /** Parts of the factor by columns. */
  #factor(gate: Tensor): Halves {
    const { wide } = this.#parts;
    const [norms, high, low] = [this.#vector(), this.#matrix(), this.#matrix()];
    this.#dispatch(MEASURE, { x: wide, v: norms, gate, flags: this.#gates[PASSES] }, undefined, 1);
    this.#dispatch(SPLIT_COLUMNS, { x: wide, y: norms, u: high, v: low, gate });
    return free([high, low], norms);
  }

  /** Corrects the inverse to the first order of what it and the factor lack, and says what that misses. */
  #correct({ m, m1, m2 }: Inverse, error: Tensor, [l1, l2]: Halves, pass: number): Tensor {
    const [gate, flags] = [this.#gates[pass]!, this.#gates[pass + 1]];
    const near = this.#product(m1, l1, gate, BELOW);
    const second = this.#product(m2, l1, gate, BELOW);
    const lack = this.#product(m, l2, gate, BELOW);
    this.#dispatch(LACK, { x: near, y: second, u: lack, gate });
    const once = this.#product(m, error, gate, { toRow: true });
    const square = this.#product(lack, lack, gate, SQUARE);
    const sum = this.#product(once, m, gate, SQUARE);
    this.#dispatch(COMBINE, { x: lack, y: square, u: sum, gate });
    const moved = this.#product(sum, m, gate, BELOW);
    const missed = this.#vector();
    this.#dispatch(MEASURE, { x: moved, v: missed, gate, flags });
    this.#dispatch(CORRECT, { x: moved, u: m1, v: m2, t: m, gate });
    return free(missed, near, second, lack, once, square, sum, moved);
  }

  /** The hat matrix, of the inverse: `m1ᵀ m1` is that of the matrix, with the rest of `mᵀ m`. */
  #hat({ m, m1, m2 }: Inverse, missed: Tensor): Tensor {
    const { a, diagonal } = this.#parts;
    const [n, gate] = [this.#n, this.#gates[0]!];
    const how = { transposeA: true, fromRow: true };
    const p1 = this.#product(m1, m1, this.#gates[PASSES]!, how);
    const [first, second] = [this.#product(m1, m2, gate, how), this.#product(m2, m, gate, how)];
    const judged = { x: missed, y: p1, w: first, z: second, r: a, u: diagonal, flags: gate };
    this.#dispatch(JUDGE, judged, [Math.ceil(n / 64), 1, 1]);
    const h = new Tensor(a.device, [n, n]);
    const tiles = Math.ceil(n / EDGE);
    this.#dispatch(FINISH, { x: p1, y: first, w: second, z: diagonal, u: h, gate }, [tiles, tiles, 1]);
    return free(h, p1, first, second);
  }

  /** `(a + ridge I)⁻¹ a`, `[n, n]`; NaN where what is left out is not small. */
  run(): Tensor {
    const gate = this.#gates[0]!;
    const error = this.#factorError(gate);
    const factor = this.#factor(gate);
    const { m: m1 } = this.#parts;
    const [m2, m] = [this.#matrix(), this.#matrix()];
    this.#dispatch(SPLIT_INVERSE, { u: m1, v: m2, t: m, gate });
    const inverse = { m, m1, m2 };
    let missed = this.#correct(inverse, error, factor, 0);
    for (let pass = 1; pass < PASSES; pass++) {
      missed.dispose();
      missed = this.#correct(inverse, error, factor, pass);
    }
    free(null, error, ...factor);
    return free(this.#hat(inverse, missed), m, m2, missed);
  }
}

/** `(a + ridge I)⁻¹ a`, `[n, n]`; NaN where what is left out is not small. */
export function refined(parts: Parts, ridge: number): Tensor {
  return new Refinement(parts, ridge).run();
}

/** Frees the tensors that a result was made of, and returns it. */
function free<T>(result: T, ...used: Tensor[]): T {
  for (const each of used) each.dispose();
  return result;
}

function bits(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0]!;
}
