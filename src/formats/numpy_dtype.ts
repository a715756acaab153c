import { decodeLatin1 } from "./byte_reader.ts";
import { type Bytes, decodeElements, type NdArrayData, type NdDType } from "./dtype.ts";
import { contiguousStrides, readStrided } from "./layout.ts";
import { quoted } from "./quoted.ts";
import { elementCount, type NdArray, ndarray, type StringArray } from "./ndarray.ts";

/** Meaning of a NumPy type string such as `<f4` or `<U7`. */
export interface NumpyType {
  /** Numbers of a dtype, text of 32-bit characters (`U`) or of bytes (`S`). */
  kind: NdDType | "U" | "S";
  /** Bytes of one element. */
  itemSize: number;
  /** Byte order. */
  littleEndian: boolean;
}

const NUMBERS: Readonly<Record<string, NdDType>> = {
  b1: "bool",
  u1: "u8",
  i1: "i8",
  u2: "u16",
  i2: "i16",
  f2: "f16",
  u4: "u32",
  i4: "i32",
  f4: "f32",
  u8: "u64",
  i8: "i64",
  f8: "f64",
};

/** The NumPy type string of each dtype; bfloat16 has none. */
export const NUMPY_CODES: ReadonlyMap<NdDType, string> = new Map(
  Object.entries(NUMBERS).map(([code, dtype]) => [dtype, `${code.endsWith("1") ? "|" : "<"}${code}`]),
);

/**
 * Reads a NumPy type string: byte order, kind and bytes. Objects, records, complex numbers and dates are refused.
 *
 * @param descr For example `<f4`, `>i8`, `|b1`, `<U7`.
 * @param what Names the file in error messages.
 */
export function parseNumpyType(descr: string, what: string): NumpyType {
  const match = /^([<>|=]?)([A-Za-z])((?:[1-9]\d*)?)$/.exec(descr);
  const [, order = "", letter = "", digits = ""] = match ?? [];
  if (letter === "O") {
    throw new SyntaxError(
      `Cannot read ${what} as object arrays hold pickled Python objects: save them as numbers or as text ("<U…")`,
    );
  }
  const littleEndian = order !== ">";
  if ((letter === "U" || letter === "S") && digits !== "") {
    return { kind: letter, itemSize: Number(digits) * (letter === "U" ? 4 : 1), littleEndian };
  }
  const kind = Object.hasOwn(NUMBERS, letter + digits) ? NUMBERS[letter + digits] : undefined;
  if (!kind) {
    throw new SyntaxError(
      `Cannot read ${what} as its type must be booleans, integers, floats of 2, 4 or 8 bytes, or text: got ${
        quoted(descr)
      }`,
    );
  }
  return { kind, itemSize: Number(digits), littleEndian };
}

/**
 * Makes an array from a NumPy type, its shape and its bytes.
 *
 * @param fortranOrder Whether the first dimension is the fastest in `bytes`; the result is in C order.
 * @throws {SyntaxError} If `bytes` is not as long as type and shape say.
 */
export function decodeNumpy(
  type: NumpyType,
  shape: readonly number[],
  fortranOrder: boolean,
  bytes: Bytes,
  what: string,
): NdArray | StringArray {
  const size = elementCount(shape) * type.itemSize;
  if (bytes.length !== size) {
    throw new SyntaxError(`Cannot read ${what} as shape [${shape}] must take ${size} bytes: got ${bytes.length}`);
  }
  if (type.kind === "U" || type.kind === "S") {
    const texts = type.kind === "U"
      ? decodeUtf32(bytes, type, elementCount(shape), what)
      : decodeBytes(bytes, type, elementCount(shape));
    return { shape: [...shape], dtype: "string", data: fortranOrder ? reorderTexts(texts, shape) : texts };
  }
  const data: NdArrayData[NdDType] = decodeElements(bytes, type.kind, type.littleEndian);
  return ndarray(shape, type.kind, fortranOrder ? readStrided(type.kind, data, shape, fortranStrides(shape), 0) : data);
}

function fortranStrides(shape: readonly number[]): number[] {
  return contiguousStrides(shape.toReversed()).reverse();
}

function reorderTexts(texts: readonly string[], shape: readonly number[]): string[] {
  const order = readStrided("u32", Uint32Array.from(texts, (_, i) => i), shape, fortranStrides(shape), 0);
  return Array.from(order, (i) => texts[i]!);
}

/** Text of 32-bit characters, padded with zeros. */
function decodeUtf32(bytes: Bytes, { itemSize, littleEndian }: NumpyType, count: number, what: string): string[] {
  const codes = decodeElements(bytes, "u32", littleEndian);
  const bad = codes.find((code) => code > 0x10ffff);
  if (bad !== undefined) throw new SyntaxError(`Cannot read ${what} as characters must be <= 0x10FFFF: got ${bad}`);
  const length = itemSize / 4;
  return Array.from({ length: count }, (_, i) => {
    const end = trimmedEnd(codes, i * length, (i + 1) * length);
    let text = "";
    for (let at = i * length; at < end; at++) text += String.fromCodePoint(codes[at]!);
    return text;
  });
}

/** Text of bytes, padded with zeros: one Latin-1 character a byte. */
function decodeBytes(bytes: Bytes, { itemSize }: NumpyType, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const end = trimmedEnd(bytes, i * itemSize, (i + 1) * itemSize);
    return decodeLatin1(bytes.subarray(i * itemSize, end));
  });
}

function trimmedEnd(codes: Uint8Array | Uint32Array, start: number, end: number): number {
  let trimmed = end;
  while (trimmed > start && codes[trimmed - 1] === 0) trimmed--;
  return trimmed;
}
