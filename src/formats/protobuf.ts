// Fields of protocol buffers: what is written of ONNX graphs and TensorBoard's events, and read of the latter.
import { concatBytes } from "./source.ts";
import type { Bytes } from "./dtype.ts";

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5] as const;

/** Seven bits a byte; of negative numbers the 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value));; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) + 128);
  }
}

/** A whole number. */
export function integerField(field: number, value: number): Bytes {
  return Uint8Array.from([...varint(field * 8 + VARINT), ...varint(value)]);
}

/** Bytes, text, or a message of fields. */
export function bytesField(field: number, value: Bytes | string | readonly Bytes[]): Bytes {
  const content = typeof value === "string"
    ? new TextEncoder().encode(value)
    : value instanceof Uint8Array
    ? value
    : concatBytes(value);
  return concatBytes([Uint8Array.from([...varint(field * 8 + LENGTH), ...varint(content.length)]), content]);
}

/** A number of 32 bits. */
export function floatField(field: number, value: number): Bytes {
  const bytes = new Uint8Array(5);
  bytes[0] = field * 8 + FIXED32;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

/** A number of 64 bits. */
export function doubleField(field: number, value: number): Bytes {
  return concatBytes([Uint8Array.of(field * 8 + FIXED64), littleDoubles([value])]);
}

/** Numbers of 64 bits, packed. */
export function doublesField(field: number, values: readonly number[]): Bytes {
  return bytesField(field, littleDoubles(values));
}

function littleDoubles(values: readonly number[]): Bytes {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat64(8 * i, value, true));
  return bytes;
}

/** A field that was read: whole numbers and bytes as they are, others as their bytes. */
export interface ProtobufField {
  /** Number of the field. */
  readonly field: number;
  /** Whole number; of other fields their bytes. */
  readonly value: bigint | Bytes;
}

/**
 * The fields of a message; null where the bytes are none.
 *
 * @param bytes A whole message.
 */
export function protobufFields(bytes: Bytes): ProtobufField[] | null {
  const fields: ProtobufField[] = [];
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const key = readVarint();
    if (key === null) return null;
    const wire = Number(key & 7n);
    const first = wire === VARINT || wire === LENGTH
      ? readVarint()
      : wire === FIXED64
      ? 8n
      : wire === FIXED32
      ? 4n
      : null;
    if (first === null) return null;
    const field = Number(key >> 3n);
    if (wire === VARINT) fields.push({ field, value: first });
    else {
      if (first > BigInt(bytes.length - at)) return null;
      fields.push({ field, value: bytes.subarray(at, at += Number(first)) });
    }
  }
  return fields;
}
