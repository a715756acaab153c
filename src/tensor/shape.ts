/** Sizes along each axis; `[]` is a scalar. */
export type Shape = readonly number[];

/**
 * Product of the sizes; 1 for a scalar.
 *
 * @example Usage
 * ```ts
 * import { sizeOf } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sizeOf([2, 3, 4]), 24);
 * ```
 */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i]!; // for each tensor: iterating over a frozen array allocates
  return size;
}

/** Tells whether both have the same sizes. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/**
 * The shape that both broadcast to, by NumPy's rule.
 *
 * @throws {TypeError} If a pair of sizes differs and neither is 1.
 *
 * @example Usage
 * ```ts
 * import { broadcastShapes } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(broadcastShapes([2, 1, 3], [4, 1], "add"), [2, 4, 3]);
 * ```
 */
export function broadcastShapes(a: Shape, b: Shape, op: string): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new TypeError(`Cannot compute ${op}() as the shapes do not broadcast: got [${a}] and [${b}]`);
    }
    shape[rank - i] = x === 1 ? y : x;
  }
  return shape;
}

/** Checks that a shape is an array of sizes: integers ≥ 0. */
export function checkShape(shape: Shape, what: string): void {
  if (!Array.isArray(shape)) {
    throw new TypeError(`Cannot make ${what} as its shape must be an array of sizes: got ${shape}`);
  }
  for (let i = 0; i < shape.length; i++) {
    if (!Number.isInteger(shape[i]) || shape[i]! < 0) {
      throw new RangeError(`Cannot make ${what} as every size must be an integer >= 0: got [${shape}]`);
    }
  }
}

/**
 * Turns `dim` or dims, negative ones counted from the end, into sorted positive ones; all of them when undefined.
 *
 * @throws {RangeError} If one is out of range or given twice.
 */
export function normalizeDims(dim: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (dim === undefined) return Array.from({ length: rank }, (_, i) => i);
  const dims = [dim].flat().map((d) => normalizeDim(d, rank, op)).sort((a, b) => a - b);
  if (new Set(dims).size < dims.length) {
    throw new RangeError(`Cannot compute ${op}() as dims must differ: got [${dim}]`);
  }
  return dims;
}

/** Turns a `dim` that may count from the end into one ≥ 0. */
export function normalizeDim(dim: number, rank: number, op: string): number {
  const d = Number.isInteger(dim) && dim < 0 ? dim + rank : dim;
  if (!Number.isInteger(d) || d < 0 || d >= rank) {
    throw new RangeError(`Cannot compute ${op}() as dim must be in [${-rank}, ${rank - 1}]: got ${dim}`);
  }
  return d;
}
