import { ByteReader, decodeLatin1, decodeUtf8 } from "./byte_reader.ts";
import { contentOf } from "./content.ts";
import { type Bytes, encodeElements, type NdDType } from "./dtype.ts";
import { elementCount, isNdArray, isShape, isStringArray, type NdArray, type StringArray } from "./ndarray.ts";
import { decodeNumpy, NUMPY_CODES, type NumpyType, parseNumpyType } from "./numpy_dtype.ts";
import { parseLiteral } from "./python_text.ts";
import { quoted } from "./quoted.ts";
import { concatBytes } from "./source.ts";

const MAGIC = "\x93NUMPY";
const MAX_HEADER = 65536;
const ALIGN = 64;

interface Header {
  type: NumpyType;
  fortranOrder: boolean;
  shape: number[];
}

/**
 * Reads a `.npy` file: versions 1 to 3, any byte order, C or Fortran order (the result is in C order).
 *
 * @param bytes The whole file. The array shares its memory where the elements lie aligned.
 * @param what Names the file in error messages.
 * @returns An array of numbers, or of strings for NumPy's `U` and `S` types.
 * @throws {SyntaxError} If the file is damaged, or holds objects, records, complex numbers or dates.
 * @see The format: NumPy's `numpy.lib.format`
 */
export function readNpy(bytes: Bytes, what = "npy"): NdArray | StringArray {
  const reader = new ByteReader(bytes, what);
  const { type, fortranOrder, shape } = readHeader(bytes, reader, what);
  return decodeNumpy(type, shape, fortranOrder, reader.take(reader.left), what);
}

function readHeader(bytes: Bytes, reader: ByteReader, what: string): Header {
  const magic = decodeLatin1(reader.take(6));
  if (magic !== MAGIC) {
    throw new SyntaxError(`Cannot read ${what} as it must begin with "\\x93NUMPY": got ${contentOf(bytes)}`);
  }
  const version = reader.u8();
  const minor = reader.u8();
  if (version < 1 || version > 3 || minor !== 0) {
    throw new SyntaxError(`Cannot read ${what} as its version must be 1.0, 2.0 or 3.0: got ${version}.${minor}`);
  }
  const length = version === 1 ? reader.u16() : reader.u32();
  if (length > MAX_HEADER) {
    throw new SyntaxError(`Cannot read ${what} as its header must take at most ${MAX_HEADER} bytes: got ${length}`);
  }
  const text = reader.take(length);
  return checkHeader(parseLiteral(version === 3 ? decodeUtf8(text, what) : decodeLatin1(text), what), what);
}

function checkHeader(header: unknown, what: string): Header {
  const { descr, fortran_order: fortranOrder, shape } = (header ?? {}) as Record<string, unknown>;
  if (Array.isArray(descr)) {
    throw new SyntaxError(`Cannot read ${what} as records are not read: got a type of ${descr.length} fields`);
  }
  if (typeof descr !== "string" || typeof fortranOrder !== "boolean" || !isShape(shape)) {
    throw new SyntaxError(
      `Cannot read ${what} as its header must hold descr, fortran_order and shape, of at most 64 sizes: got ` +
        `${quoted(descr)}, ${quoted(fortranOrder)} and ${quoted(shape)}`,
    );
  }
  return { type: parseNumpyType(descr, what), fortranOrder, shape };
}

/**
 * Writes a `.npy` file of version 1.0, little-endian, in C order.
 *
 * @param array Numbers of any shape, or strings (written as `<U…`). bfloat16 has no NumPy type.
 * @throws {TypeError} If the array is bfloat16, or does not fill its shape.
 */
export function writeNpy(array: NdArray | StringArray): Bytes {
  if (!(isNdArray(array) || isStringArray(array)) || elementCount(array.shape) !== array.data.length) {
    throw new TypeError(`Cannot run writeNpy() as the array must fill its shape: got shape [${array?.shape}]`);
  }
  if (isStringArray(array)) {
    const width = array.data.reduce((most, text) => Math.max(most, [...text].length), 1);
    return concatBytes([makeHeader(`<U${width}`, array.shape), encodeElements(encodeUtf32(array.data, width))]);
  }
  return concatBytes([npyHeader(array.dtype, array.shape), encodeElements(array.data)]);
}

/** The beginning of a `.npy` file, up to its elements, which follow little-endian in C order. */
export function npyHeader(dtype: NdDType, shape: readonly number[]): Bytes {
  const code = NUMPY_CODES.get(dtype);
  if (code) return makeHeader(code, shape);
  throw new TypeError(`Cannot run writeNpy() as NumPy has no type for it (convert with toF32()): got ${dtype}`);
}

function encodeUtf32(texts: readonly string[], width: number): Uint32Array<ArrayBuffer> {
  const codes = new Uint32Array(texts.length * width);
  texts.forEach((text, i) => codes.set(Array.from(text, (character) => character.codePointAt(0) ?? 0), i * width));
  return codes;
}

function makeHeader(descr: string, shape: readonly number[]): Bytes {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const total = Math.ceil((10 + dict.length + 1) / ALIGN) * ALIGN;
  const header = new Uint8Array(total);
  header.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  new DataView(header.buffer).setUint16(8, total - 10, true);
  header.set(new TextEncoder().encode(`${dict.padEnd(total - 11)}\n`), 10);
  return header;
}
