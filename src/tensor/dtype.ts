/**
 * Element types: floats for values, integers for indices, `u8` for images (packed, read-only on the GPU). `f16` is half
 * precision, for what a training step keeps in between; it needs the device's feature `shader-f16`.
 */
export type DType = "f32" | "f16" | "i32" | "u32" | "u8";

/** The typed array of each dtype. */
export interface DTypeArrays {
  /** Values. */
  f32: Float32Array<ArrayBuffer>;
  /** Values in half precision. */
  f16: Float16Array<ArrayBuffer>;
  /** Signed integers. */
  i32: Int32Array<ArrayBuffer>;
  /** Indices. */
  u32: Uint32Array<ArrayBuffer>;
  /** Image bytes. */
  u8: Uint8Array<ArrayBuffer>;
}

const ARRAYS = {
  f32: "Float32Array",
  f16: "Float16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  u8: "Uint8Array",
} as const;

const BYTES: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u32: 4, u8: 1 };

const BY_NAME = new Map<string, DType>(Object.entries(ARRAYS).map(([dtype, name]) => [name, dtype as DType]));

/** The dtypes in words, for messages. */
export const DTYPES = "f32, f16, i32, u32 or u8";

/** Tells a dtype from other libraries' names, such as `float32`. */
export function isDType(dtype: unknown): dtype is DType {
  return typeof dtype === "string" && Object.hasOwn(BYTES, dtype);
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return BYTES[dtype];
}

/**
 * The typed array of a dtype.
 *
 * @throws {TypeError} If the runtime has none: `Float16Array` came with Node 24 and Chrome 135.
 */
export function arrayOf(dtype: DType): typeof globalThis[typeof ARRAYS[DType]] {
  const array = globalThis[ARRAYS[dtype]];
  if (!array) throw new TypeError(`Cannot hold ${dtype} outside of the device as this runtime has no ${ARRAYS[dtype]}`);
  return array;
}

/** A typed array over a buffer. */
export function viewAs<D extends DType>(buffer: ArrayBuffer, dtype: D): DTypeArrays[D] {
  return new (arrayOf(dtype))(buffer) as DTypeArrays[D];
}

/** The dtype of a typed array, or undefined if there is none. */
export function dtypeOf(values: unknown): DType | undefined {
  if (!ArrayBuffer.isView(values)) return undefined;
  const name = (values as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "";
  return name === "Uint8ClampedArray" ? "u8" : BY_NAME.get(name);
}
