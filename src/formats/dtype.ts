import { bfloat16ToFloat, float16ToFloat } from "./half.ts";

/** Bytes in memory of their own (not shared with other threads). */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The typed array that holds each element type; `f16` and `bf16` keep their 16 bits as they are, `bool` is 0 or 1. */
export interface NdArrayData {
  /** Truth values, one byte each. */
  bool: Uint8Array<ArrayBuffer>;
  /** Unsigned bytes. */
  u8: Uint8Array<ArrayBuffer>;
  /** Signed bytes. */
  i8: Int8Array<ArrayBuffer>;
  /** Unsigned 16-bit integers. */
  u16: Uint16Array<ArrayBuffer>;
  /** Signed 16-bit integers. */
  i16: Int16Array<ArrayBuffer>;
  /** The bits of IEEE half-precision floats. */
  f16: Uint16Array<ArrayBuffer>;
  /** The bits of bfloat16 floats (the upper half of an f32). */
  bf16: Uint16Array<ArrayBuffer>;
  /** Unsigned 32-bit integers. */
  u32: Uint32Array<ArrayBuffer>;
  /** Signed 32-bit integers. */
  i32: Int32Array<ArrayBuffer>;
  /** Single-precision floats. */
  f32: Float32Array<ArrayBuffer>;
  /** Unsigned 64-bit integers. */
  u64: BigUint64Array<ArrayBuffer>;
  /** Signed 64-bit integers. */
  i64: BigInt64Array<ArrayBuffer>;
  /** Double-precision floats. */
  f64: Float64Array<ArrayBuffer>;
}

/** An element type of a file. */
export type NdDType = keyof NdArrayData;

const ARRAYS = {
  bool: Uint8Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const;

/** Element types, from the smallest to the largest. */
export const ND_DTYPES = Object.keys(ARRAYS) as readonly NdDType[];

/** Bytes of one element. */
export function itemSize(dtype: NdDType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Makes an array of zeros. */
export function allocate<D extends NdDType>(dtype: D, length: number): NdArrayData[D] {
  return new ARRAYS[dtype](length) as NdArrayData[D];
}

/** Whether `data` is the typed array of `dtype`. */
export function holds(dtype: NdDType, data: unknown): boolean {
  return data instanceof ARRAYS[dtype];
}

/**
 * The elements in `bytes`, whose length is a multiple of the element size.
 * They share memory with `bytes` when they lie aligned and little-endian, as every machine with WebGPU is; truth values
 * when they are 0 and 1, as all but 0 are true in other programs.
 */
export function decodeElements<D extends NdDType>(bytes: Bytes, dtype: D, littleEndian = true): NdArrayData[D] {
  if (dtype === "bool" && bytes.some((byte) => byte > 1)) {
    return bytes.map((byte) => Math.min(byte, 1)) as NdArrayData[D];
  }
  const size = itemSize(dtype);
  const swap = size > 1 && !littleEndian;
  const own = swap || bytes.byteOffset % size !== 0 ? bytes.slice() : bytes;
  if (swap) reverseItems(own, size);
  return new ARRAYS[dtype](own.buffer, own.byteOffset, own.byteLength / size) as NdArrayData[D];
}

/** The bytes of a typed array, little-endian; they share its memory. */
export function encodeElements(data: NdArrayData[NdDType]): Bytes {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function reverseItems(bytes: Bytes, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** One element as a number; 64-bit integers beyond 2⁵³ round to the nearest double. */
export function elementToNumber(dtype: NdDType, value: number | bigint): number {
  if (dtype === "f16") return float16ToFloat(Number(value));
  if (dtype === "bf16") return bfloat16ToFloat(Number(value));
  if (dtype === "bool") return value ? 1 : 0;
  return Number(value);
}
