import type { Bytes } from "./dtype.ts";

const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Walks through bytes and never past their end: every read that does not fit throws a `SyntaxError`. */
export class ByteReader {
  #offset = 0;
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #what: string;

  /** Begins at the first byte; `what` names the bytes in error messages. */
  constructor(bytes: Bytes, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  /** The next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  /** The bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next `length` bytes, in the same memory. */
  take(length: number): Bytes {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Unsigned byte. */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** Little-endian unsigned 16 bits. */
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  /** Little-endian unsigned 32 bits. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Little-endian signed 32 bits. */
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Little-endian unsigned 64 bits: a length or an offset, so no more than 2⁵³ − 1. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new SyntaxError(`Cannot read ${this.#what} as its lengths must be below 2^53: got ${value}`);
  }

  /** Big-endian double. */
  f64be(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The bytes up to the next newline, which is skipped. */
  line(): Bytes {
    const end = this.#bytes.indexOf(10, this.#offset);
    if (end < 0) {
      throw new SyntaxError(`Cannot read ${this.#what} as it ends early: no end of the line at ${this.#offset}`);
    }
    const line = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return line;
  }

  /** The next `length` bytes as UTF-8 text. */
  utf8(length: number): string {
    return decodeUtf8(this.take(length), this.#what);
  }

  #advance(length: number): number {
    if (length > this.left) {
      throw new SyntaxError(
        `Cannot read ${this.#what} as it ends early: ${length} bytes wanted at ${this.#offset} of ${this.#bytes.length}`,
      );
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

/** Decodes UTF-8, a byte-order mark included. */
export function decodeUtf8(bytes: Bytes, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new SyntaxError(`Cannot read ${what} as its text must be UTF-8: got ${bytes.length} bytes that are not`);
  }
}

/** Decodes Latin-1: one character a byte, `U+0000` to `U+00FF` (`TextDecoder`'s "latin1" is Windows-1252). */
export function decodeLatin1(bytes: Bytes): string {
  if (bytes.length <= 256) return String.fromCharCode(...bytes);
  return utf16.decode(Uint16Array.from(bytes));
}

/** The bytes of Latin-1 text, or undefined if a character is beyond `U+00FF`. */
export function encodeLatin1(text: string): Bytes | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return undefined;
    bytes[i] = code;
  }
  return bytes;
}
