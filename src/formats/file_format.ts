import { decodeLatin1 } from "./byte_reader.ts";
import type { Bytes } from "./dtype.ts";
import type { ByteSource } from "./source.ts";

/** The largest safetensors header that is read, bytes, as in the reference implementation. */
export const MAX_HEADER = 100_000_000;

/** Bytes that {@linkcode formatOf} looks at, at most. */
export const FORMAT_BYTES = 512;

/** Formats of weights that are read. */
export type WeightsFormat = "safetensors" | "zip" | "pickle";

/** Signatures of the first member of a zip, and of the end of an empty one. */
const ZIP: readonly string[] = ["PK\x03\x04", "PK\x05\x06"];

/** Signatures of other files that are given as weights by mistake, and where they are. */
const OTHERS: readonly (readonly [name: string, offset: number, ...texts: string[]])[] = [
  ["a JPEG picture", 0, "\xff\xd8\xff"],
  ["a PNG picture", 0, "\x89PNG\r\n\x1a\n"],
  ["a GIF picture", 0, "GIF87a", "GIF89a"],
  ["a WebP picture", 8, "WEBP"],
  ["a PDF document", 0, "%PDF-"],
  ["a NumPy array", 0, "\x93NUMPY"],
  ["an HDF5 file (Keras?)", 0, "\x89HDF\r\n"],
  ["gzip (unpack it first)", 0, "\x1f\x8b\x08"],
  ["xz (unpack it first)", 0, "\xfd7zXZ"],
  ["a tar archive, or a file of PyTorch 0.1", 257, "ustar"],
  ["a pointer of Git LFS (git lfs pull brings the file)", 0, "version https://git-lfs"],
  ["a web page (a download that failed?)", 0, "<!doctype", "<html", "<?xml"],
];

/**
 * Tells the format of weights from their structure; null when it is none that is read.
 *
 * One byte tells nothing: the header's length stands first in a safetensors file, so it may begin with any byte, a
 * pickle's 0x80 too. There a length of at most {@linkcode MAX_HEADER} and `{` behind it decide: in a pickle or a zip
 * the same eight bytes are a number beyond that bound, or no `{` comes after them.
 *
 * @param start The first {@linkcode FORMAT_BYTES} bytes, or the whole of a shorter file.
 */
export function formatOf(start: Bytes): WeightsFormat | null {
  if (start.length > 8 && start[8] === 0x7b) {
    const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
    if (length <= BigInt(MAX_HEADER)) return "safetensors";
  }
  if (ZIP.includes(decodeLatin1(start.subarray(0, 4)))) return "zip";
  return start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5 ? "pickle" : null;
}

/** What a file is that has no format of weights, for a message: `a JPEG picture`, or its first bytes. */
export function describeFormat(start: Bytes): string {
  if (start.length === 0) return "an empty file";
  const text = decodeLatin1(start);
  const begins = (offset: number, what: string) =>
    text.startsWith(what, offset) || text.trimStart().toLowerCase().startsWith(what);
  const other = OTHERS.find(([, offset, ...texts]) => texts.some((what) => begins(offset, what)));
  return other?.[0] ??
    `bytes ${Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

/**
 * The format of a file of weights: by its structure, whatever it is called. A safetensors file whose first bytes are
 * damaged is one by its ending, so that its reader says what is wrong.
 *
 * @param path The file's name.
 * @throws {SyntaxError} If neither tells; the message says what the file is.
 */
export async function weightsFormat(source: ByteSource, path: string): Promise<WeightsFormat> {
  const start = await source.read(0, Math.min(FORMAT_BYTES, source.size));
  const format = formatOf(start);
  if (format) return format;
  const what = describeFormat(start);
  if (what.startsWith("bytes ") && /\.safetensors$/i.test(path)) return "safetensors";
  throw new SyntaxError(`Cannot read weights as they must be safetensors or what torch.save() wrote: got ${what}`);
}
