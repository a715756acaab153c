// How the operands and the result of a product lie in memory.

/** Sizes of up to three batch axes, and for each operand how many matrices one step along an axis skips. */
export interface BatchAxes {
  /** Sizes, outermost first. */
  readonly sizes: readonly [number, number, number];
  /** Steps of a in matrices; 0 where it broadcasts. */
  readonly a: readonly [number, number, number];
  /** Steps of b in matrices; 0 where it broadcasts. */
  readonly b: readonly [number, number, number];
}

/** The order of axes: how the matrices are read, and which of them are multiplied. */
export interface Order {
  /** Whether a is read as `[…, inner, rows]`. */
  readonly transposeA?: boolean;
  /** Whether b is read as `[…, cols, inner]`. */
  readonly transposeB?: boolean;
  /** Batch axes; none by default. */
  readonly batch?: BatchAxes;
}

/** Elements from row to row and from matrix to matrix; multiples of 4. */
export interface Strides {
  readonly row: number;
  readonly matrix: number;
  /** Element where the first matrix starts, a multiple of 64 in f32; c's is 0 without `into`. */
  readonly from?: number;
}

/** Strides of both operands and of the result, which has `size` elements. */
export interface AllStrides {
  readonly a: Strides;
  readonly b: Strides;
  readonly c: Strides;
  readonly size: number;
}

/** A layout of a product, as {@linkcode packed} and {@linkcode strided} make it. */
export interface Layout extends Required<Order> {
  /** Null where rows follow one another. */
  readonly strides: AllStrides | null;
}

const NO_BATCH: BatchAxes = { sizes: [1, 1, 1], a: [0, 0, 0], b: [0, 0, 0] };

/** A layout whose rows and matrices follow one another; rows that are no whole vectors are padded in a copy. */
export function packed({ transposeA = false, transposeB = false, batch = NO_BATCH }: Order = {}): Layout {
  return { transposeA, transposeB, batch, strides: null };
}

/** A layout inside of larger tensors: rows and matrices lie as far apart as given. A part of a tensor is not timed by the tuner. */
export function strided(strides: AllStrides, order: Order = {}): Layout {
  return { ...packed(order), strides };
}

/** Whether an operand is a part of its tensor. */
export function isPart(strides: AllStrides | null): boolean {
  return strides !== null && [strides.a, strides.b, strides.c].some(({ from }) => from !== undefined);
}
