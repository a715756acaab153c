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

const ARRAYS = { f32: Float32Array, f16: Float16Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array } as const;

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** A typed array over a buffer. */
export function viewAs<D extends DType>(buffer: ArrayBuffer, dtype: D): DTypeArrays[D] {
  return new ARRAYS[dtype](buffer) as DTypeArrays[D];
}

/** The dtype of a typed array, or undefined if there is none. */
export function dtypeOf(values: unknown): DType | undefined {
  for (const dtype of ["f32", "f16", "i32", "u32", "u8"] as const) if (values instanceof ARRAYS[dtype]) return dtype;
  if (values instanceof Uint8ClampedArray) return "u8";
  return undefined;
}
