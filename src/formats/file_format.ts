import { decodeLatin1 } from "./byte_reader.ts";
import { CONTENT_BYTES, contentOf } from "./content.ts";
import type { Bytes } from "./dtype.ts";
import type { ByteSource } from "./source.ts";

/** The largest safetensors header that is read, bytes, as in the reference implementation. */
export const MAX_HEADER = 100_000_000;

/** Formats of weights that are read. */
export type WeightsFormat = "safetensors" | "zip" | "pickle";

/** Signatures of the first member of a zip, and of the end of an empty one. */
const ZIP: readonly string[] = ["PK\x03\x04", "PK\x05\x06"];

/**
 * Tells the format of weights from their structure; null when it is none that is read.
 *
 * One byte tells nothing: the header's length stands first in a safetensors file, so it may begin with any byte, a
 * pickle's 0x80 too. There a length of at most {@linkcode MAX_HEADER} and `{` behind it decide: in a pickle or a zip
 * the same eight bytes are a number beyond that bound, or no `{` comes after them.
 *
 * @param start The first {@linkcode CONTENT_BYTES} bytes, or the whole of a shorter file.
 */
export function formatOf(start: Bytes): WeightsFormat | null {
  if (start.length > 8 && start[8] === 0x7b) {
    const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
    if (length <= BigInt(MAX_HEADER)) return "safetensors";
  }
  if (ZIP.includes(decodeLatin1(start.subarray(0, 4)))) return "zip";
  return start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5 ? "pickle" : null;
}

/**
 * The format of a file of weights: by its structure, whatever it is called. A safetensors file whose first bytes are
 * damaged is one by its ending, so that its reader says what is wrong.
 *
 * @param path The file's name.
 * @throws {SyntaxError} If neither tells; the message says what the file is.
 */
export async function weightsFormat(source: ByteSource, path: string): Promise<WeightsFormat> {
  const start = await source.read(0, Math.min(CONTENT_BYTES, source.size));
  const format = formatOf(start);
  if (format) return format;
  const what = contentOf(start);
  if (what.startsWith("bytes ") && /\.safetensors$/i.test(path)) return "safetensors";
  throw new SyntaxError(`Cannot read weights as they must be safetensors or what torch.save() wrote: got ${what}`);
}
