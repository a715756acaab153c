import { allocate, elementToNumber, holds, ND_DTYPES, type NdArrayData, type NdDType } from "./dtype.ts";

/** An array of one element type, rows first (C order). */
export interface NdArrayOf<D extends NdDType> {
  /** The size of each dimension; `[]` for a single value. */
  readonly shape: readonly number[];
  /** The element type. */
  readonly dtype: D;
  /** The elements, last dimension fastest. */
  readonly data: NdArrayData[D];
}

/** An array of numbers as files hold it: no GPU, no gradient. `dtype` tells the kind of typed array in `data`. */
export type NdArray = { [D in NdDType]: NdArrayOf<D> }[NdDType];

/** An array of strings, as NumPy's `<U…` and `|S…` arrays read. */
export interface StringArray {
  /** The size of each dimension. */
  readonly shape: readonly number[];
  /** Element type, `"string"`. */
  readonly dtype: "string";
  /** The strings, last dimension fastest. */
  readonly data: readonly string[];
}

/** The number of elements of a shape, 1 for `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((count, size) => count * size, 1);
}

/** Maximum number of dimensions, more than any program makes: NumPy takes 64, PyTorch as many. */
export const MAX_RANK = 64;

/** Whether a value of a file is a list of sizes, and of at most 64. */
export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/**
 * Puts a shape and an element type to a typed array, which is not copied.
 *
 * @throws {TypeError} If `data` is not the typed array of `dtype`, or its length is not the product of the shape.
 *
 * @example Usage
 * ```ts
 * import { ndarray } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const prior = ndarray([2, 3], "f32", new Float32Array(6));
 * assertEquals(prior.shape, [2, 3]);
 * ```
 */
export function ndarray<D extends NdDType>(shape: readonly number[], dtype: D, data: NdArrayData[D]): NdArray {
  if (!holds(dtype, data)) {
    throw new TypeError(
      `Cannot make ndarray() as data must be the typed array of its dtype: got ${dtype} and ${data?.constructor?.name}`,
    );
  }
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new TypeError(`Cannot make ndarray() as sizes must be whole numbers >= 0: got shape [${shape}]`);
  }
  if (elementCount(shape) !== data.length) {
    throw new TypeError(
      `Cannot make ndarray() as data must fill the shape: got shape [${shape}] and ${data.length} elements`,
    );
  }
  return { shape: [...shape], dtype, data } as NdArray;
}

/** Whether a value read from a file is an array of numbers. */
export function isNdArray(value: unknown): value is NdArray {
  if (typeof value !== "object" || value === null) return false;
  const { shape, dtype, data } = value as Partial<NdArray>;
  return Array.isArray(shape) && ND_DTYPES.includes(dtype as NdDType) && ArrayBuffer.isView(data);
}

/** Advice for a network or a tensor in place of its arrays, for the message that refuses it; empty for others. */
export function fromModel(value: unknown): string {
  if (!(value instanceof Object) || !("forward" in value || "storage" in value)) return "";
  return "; await readState(model) of ./train gives the arrays of a network";
}

/** Whether a value read from a file is an array of strings. */
export function isStringArray(value: unknown): value is StringArray {
  return typeof value === "object" && value !== null && (value as Partial<StringArray>).dtype === "string" &&
    Array.isArray((value as Partial<StringArray>).data);
}

/**
 * The elements as single-precision floats, rounded to nearest; `bool` becomes 0 or 1. An `f32` array is not copied.
 *
 * @param array Any shape, any element type.
 * @returns As many elements as the shape has, last dimension fastest.
 *
 * @example Usage
 * ```ts
 * import { ndarray, toF32 } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const labels = ndarray([3], "i64", new BigInt64Array([4n, 5n, 6n]));
 * assertEquals([...toF32(labels)], [4, 5, 6]);
 * ```
 */
export function toF32(array: NdArray): Float32Array<ArrayBuffer> {
  if (array.dtype === "f32") return array.data;
  const { dtype, data } = array;
  const result = allocate("f32", data.length);
  for (let i = 0; i < data.length; i++) result[i] = elementToNumber(dtype, data[i]!);
  return result;
}

/**
 * The elements as doubles; exact for every element type but 64-bit integers beyond 2⁵³, which round.
 *
 * @param array Any shape, any element type.
 */
export function toF64(array: NdArray): Float64Array<ArrayBuffer> {
  if (array.dtype === "f64") return array.data;
  const { dtype, data } = array;
  const result = allocate("f64", data.length);
  for (let i = 0; i < data.length; i++) result[i] = elementToNumber(dtype, data[i]!);
  return result;
}

/** Arrays by name: a plain object, or a `Map` when the order or the names ask for one. */
export type NamedArrays<A = NdArray> = Readonly<Record<string, A>> | ReadonlyMap<string, A>;

/** The entries of arrays by name, in order. */
export function namedEntries<A>(arrays: NamedArrays<A>): [string, A][] {
  return arrays instanceof Map ? [...arrays] : Object.entries(arrays);
}
