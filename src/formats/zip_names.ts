import { ByteReader } from "./byte_reader.ts";
import { crc32 } from "./crc32.ts";
import type { Bytes } from "./dtype.ts";

/** Characters 128 to 255 of IBM's code page 437, which names of zip members are in unless a flag says UTF-8. */
const CP437 = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
  "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const UTF8_FLAG = 0x800;
const UNICODE_PATH = 0x7075;

/**
 * The name of a zip member: UTF-8 where the flag or an extra field says so, or where the bytes are UTF-8 (macOS sets no flag), else
 * code page 437, as Python reads it.
 *
 * @throws {SyntaxError} If the flag says UTF-8 and the bytes are not.
 */
export function memberName(bytes: Bytes, flags: number, extra: Bytes): string {
  const text = utf8(unicodePath(bytes, extra) ?? bytes);
  if (text !== null) return text;
  if ((flags & UTF8_FLAG) !== 0) {
    throw new SyntaxError(`Cannot read zip as its text must be UTF-8: got ${bytes.length} bytes that are not`);
  }
  return Array.from(bytes, (byte) => byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128]).join("");
}

function utf8(bytes: Bytes): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Info-ZIP's field with the name in UTF-8; it holds for the name whose checksum it carries. */
function unicodePath(bytes: Bytes, extra: Bytes): Bytes | null {
  const reader = new ByteReader(extra, "zip");
  while (reader.left >= 4) {
    const id = reader.u16();
    const field = new ByteReader(reader.take(reader.u16()), "zip");
    if (id !== UNICODE_PATH || field.left < 5) continue;
    field.take(1); // version
    return field.u32() === crc32(bytes) ? field.take(field.left) : null;
  }
  return null;
}
