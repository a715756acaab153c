import { decodeUtf8 } from "./byte_reader.ts";
import { CONTENT_BYTES, contentOf } from "./content.ts";
import { type Bytes, decodeElements, itemSize, type NdDType } from "./dtype.ts";
import { MAX_HEADER } from "./file_format.ts";
import { isRecord, parseJson } from "./json.ts";
import { elementCount, isShape, type NdArray, ndarray } from "./ndarray.ts";
import { quoted } from "./quoted.ts";
import { checkBytes } from "./source.ts";

/** Element types by their name in a safetensors header. */
export const SAFETENSORS_DTYPES: ReadonlyMap<string, NdDType> = new Map(
  (["bool", "u8", "i8", "i16", "u16", "f16", "bf16", "i32", "u32", "f32", "f64", "i64", "u64"] as const)
    .map((dtype) => [dtype.toUpperCase(), dtype]),
);

/** Contents of a safetensors file. */
export interface Safetensors {
  /** The tensors by name, in the order of the header. */
  tensors: Map<string, NdArray>;
  /** The `__metadata__` of the header: text by name. */
  metadata: Record<string, string>;
}

interface Entry {
  name: string;
  dtype: NdDType;
  shape: number[];
  start: number;
  end: number;
}

/**
 * Reads a safetensors file. The tensors share memory with `bytes` where they lie aligned, which the usual writers see to.
 *
 * @param bytes The whole file.
 * @returns The tensors by name, and the metadata.
 * @throws {TypeError} If `bytes` are none, such as the name of the file.
 * @throws {SyntaxError} If the file is damaged or breaks the format's rules: offsets outside the file, overlapping or with
 *   gaps, sizes that do not match the shape, a name twice, an unknown element type (8-bit floats and complex numbers).
 *
 * @example Usage
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const weight = { shape: [2, 2], dtype: "f32", data: new Float32Array([1, 2, 3, 4]) } as const;
 * const bytes = writeSafetensors({ "fc.weight": weight }, { epoch: "12" });
 * const { tensors, metadata } = readSafetensors(bytes);
 * assertEquals(tensors.get("fc.weight")?.data, weight.data);
 * assertEquals(metadata.epoch, "12");
 * ```
 *
 * @see The format: the README of the safetensors project
 */
export function readSafetensors(bytes: Bytes): Safetensors {
  checkBytes(bytes);
  const header = headerBytes(bytes);
  const { entries, metadata } = parseHeader(header);
  const body = bytes.subarray(8 + header.length);
  checkOffsets(entries, body.length);
  const tensors = new Map<string, NdArray>();
  for (const { name, dtype, shape, start, end } of entries) {
    tensors.set(name, ndarray(shape, dtype, decodeElements(body.subarray(start, end), dtype)));
  }
  return { tensors, metadata };
}

function headerBytes(bytes: Bytes): Bytes {
  if (bytes.length < 8) throw unreadable("a file must have at least 8 bytes", `${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER, bytes.length - 8))) {
    throw unreadable(
      `the header must fit in the file and in ${MAX_HEADER} bytes`,
      length < MAX_HEADER
        ? `a header of ${length} bytes in a file of ${bytes.length} (is it whole?)`
        : `a file of ${bytes.length} bytes that begins as ${contentOf(bytes.subarray(0, CONTENT_BYTES))}`,
    );
  }
  return bytes.subarray(8, 8 + Number(length));
}

function parseHeader(header: Bytes): { entries: Entry[]; metadata: Record<string, string> } {
  const text = decodeUtf8(header, "safetensors");
  const json = parseJson(text, "safetensors' header");
  if (!isRecord(json) || !text.startsWith("{")) throw unreadable("the header must be a JSON object", quoted(text));
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const name in json) {
    const value = json[name];
    if (name === "__metadata__") metadata = value === null ? {} : parseMetadata(value); // null: as the reference reads it
    else entries.push(parseEntry(name, value));
  }
  return { entries, metadata };
}

function parseMetadata(value: unknown): Record<string, string> {
  if (isRecord(value) && Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  throw unreadable('"__metadata__" must map text to text', quoted(value));
}

function parseEntry(name: string, value: unknown): Entry {
  const tensor = () => quoted(name, 200); // only where something is wrong: a file may have 400,000 names
  if (!isRecord(value)) throw unreadable(`${tensor()} must be a JSON object`, quoted(value));
  const { dtype: code, shape, data_offsets: offsets } = value;
  const dtype = typeof code === "string" ? SAFETENSORS_DTYPES.get(code) : undefined;
  if (!dtype) {
    throw unreadable(`the dtype of ${tensor()} must be one of ${[...SAFETENSORS_DTYPES.keys()]}`, quoted(code));
  }
  if (!isShape(shape)) throw unreadable(`the shape of ${tensor()} must be a list of at most 64 sizes`, quoted(shape));
  if (!isShape(offsets) || offsets.length !== 2) {
    throw unreadable(`the data_offsets of ${tensor()} must be two offsets`, quoted(offsets));
  }
  const [start, end] = offsets as [number, number];
  if (elementCount(shape) * itemSize(dtype) !== end - start) {
    throw unreadable(`the bytes of ${tensor()} must fit its shape`, `${code} [${shape}] and ${end - start} bytes`);
  }
  return { name, dtype, shape, start, end };
}

/** Checks that the tensors cover the bytes after the header once, without gaps. */
function checkOffsets(entries: readonly Entry[], size: number): void {
  let offset = 0;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== offset) {
      throw unreadable(`${quoted(name, 200)} must begin where the tensor before it ends (${offset})`, `${start}`);
    }
    offset = end;
  }
  if (offset !== size) throw unreadable(`the tensors must fill the ${size} bytes after the header`, `${offset} bytes`);
}

function unreadable(rule: string, got: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read safetensors as ${rule}: got ${got}`, { cause });
}
