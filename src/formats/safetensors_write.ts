import { type Bytes, encodeElements, type NdDType } from "./dtype.ts";
import { elementCount, fromModel, isNdArray, type NamedArrays, namedEntries, type NdArray } from "./ndarray.ts";
import { concatBytes } from "./source.ts";

// The reference implementation puts larger elements first, which keeps every tensor aligned, and sorts each group by name.
const RANK: readonly NdDType[] = [
  "bool",
  "u8",
  "i8",
  "i16",
  "u16",
  "f16",
  "bf16",
  "i32",
  "u32",
  "f32",
  "f64",
  "i64",
  "u64",
];

/** First bytes by which other formats are told, as far as they are multiples of 8. */
const AMBIGUOUS = [0x28, 0x50, 0x78, 0x80];

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes, whatever their order.
 *
 * @param tensors Arrays by name, any shapes.
 * @param metadata Text by name, kept in the header as `__metadata__`.
 * @throws {TypeError} If a value is no array, or the name is `__metadata__`.
 *
 * @example Usage
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = writeSafetensors({ steps: { shape: [1], dtype: "i32", data: new Int32Array([7]) } });
 * assertEquals(readSafetensors(bytes).tensors.get("steps")?.data[0], 7);
 * ```
 *
 * @see The format: the README of the safetensors project
 */
export function writeSafetensors(tensors: NamedArrays, metadata: Readonly<Record<string, string>> = {}): Bytes {
  return concatBytes(safetensorsChunks(tensors, metadata));
}

/** The bytes of {@linkcode writeSafetensors} piece by piece, one tensor at a time and without copies, for large files. */
export function* safetensorsChunks(
  tensors: NamedArrays,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Bytes, void> {
  const entries = sorted(tensors);
  const header: Record<string, unknown> = {};
  const text = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (text.length > 0) define(header, "__metadata__", Object.fromEntries(text));
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const data_offsets = [offset, offset += data.byteLength];
    define(header, name, { dtype: dtype.toUpperCase(), shape, data_offsets });
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(8 + paddedLength(json.length)).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(json, 8);
  yield padded;
  for (const [, { data }] of entries) yield encodeElements(data);
}

/**
 * A multiple of 8, so that the tensors lie aligned, whose lowest byte, the first of the file, is not the first byte of a
 * pickle (0x80; `(` before protocol 2), a zip (`P`) or zlib's data (`x`): readers that look at one byte are not misled.
 */
function paddedLength(length: number): number {
  let padded = Math.ceil(length / 8) * 8;
  while (AMBIGUOUS.includes(padded & 0xff)) padded += 8;
  return padded;
}

// A plain assignment would lose a tensor called "__proto__".
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true });
}

function sorted(tensors: NamedArrays): [string, NdArray][] {
  const entries = namedEntries(tensors);
  for (const [name, value] of entries) {
    if (name === "__metadata__") {
      throw new TypeError(
        `Cannot run writeSafetensors() as "__metadata__" is the format's own: got a tensor of that name`,
      );
    }
    if (!isNdArray(value) || elementCount(value.shape) !== value.data.length) {
      throw new TypeError(
        `Cannot run writeSafetensors() as "${name}" must be an array that fills its shape: got ${show(value)}${
          fromModel(value)
        }`,
      );
    }
  }
  return entries.sort(([a, { dtype: p }], [b, { dtype: q }]) => RANK.indexOf(q) - RANK.indexOf(p) || compare(a, b));
}

function show(value: unknown): string {
  return isNdArray(value) ? `shape [${value.shape}] and ${value.data.length} elements` : typeof value;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
