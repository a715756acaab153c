import { quoted } from "../../formats/internal.ts";

/** One entry of a tar archive; its bytes must be taken (or skipped) before the next entry is asked for. */
export interface TarEntry {
  /** Name as stored, with `/`. */
  name: string;
  /** Kind of the entry. */
  kind: "file" | "directory" | "link" | "hard link" | "volume" | "other";
  /** Bytes of a file. */
  size: number;
  /** Target of a link. */
  target: string;
  /** The bytes, in pieces. */
  chunks(): AsyncGenerator<Uint8Array>;
}

const BLOCK = 512;

/** Reads exact numbers of bytes from a stream. */
class ByteReader {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #done = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Reads up to `limit` bytes; none at the end of the stream. */
  async some(limit: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0 && !this.#done) {
      const { value, done } = await this.#reader.read();
      this.#done = done;
      this.#chunk = value ?? new Uint8Array();
    }
    const piece = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** Reads `count` bytes, or fewer where the stream ends. */
  async exactly(count: number): Promise<Uint8Array> {
    const out = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const piece = await this.some(count - at);
      if (piece.length === 0) return out.subarray(0, at);
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

/**
 * Reads a tar archive (ustar, with the long names of GNU tar and of pax) entry by entry.
 *
 * @param stream The archive, not compressed.
 * @param name What to call it in an error.
 * @throws {SyntaxError} If it is not a tar archive, or is cut off.
 */
export async function* readTar(stream: ReadableStream<Uint8Array>, name: string): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(stream);
  let entries = 0;
  let overrides: { path?: string; linkpath?: string; size?: string } = {};
  try {
    while (true) {
      const header = await reader.exactly(BLOCK);
      if (header.length === BLOCK && header.every((byte) => byte === 0)) { // the mark of the end
        while ((await reader.some(1 << 16)).length > 0); // so that gzip gets to compare its checksum
        return;
      }
      if (header.length === 0 && entries > 0) return; // some writers leave the mark out, and Python and tar do not miss it
      if (header.length === 0) throw new SyntaxError(`Cannot read "${name}": the file is empty, not a tar archive`);
      if (header.length < BLOCK) throw new SyntaxError(`Cannot read "${name}": the archive is cut off`);
      checkHeader(header, name);
      entries++;
      const type = String.fromCharCode(header[156]!);
      const size = overrides.size === undefined ? readNumber(header.subarray(124, 136), name) : Number(overrides.size);
      if ("xgLK".includes(type)) {
        const bytes = await readAll(reader, size, name);
        if (type === "x") overrides = { ...overrides, ...parsePax(bytes, name) };
        const text = decodeName(bytes);
        if (type === "L") overrides.path = text.replace(/\0.*$/s, "");
        if (type === "K") overrides.linkpath = text.replace(/\0.*$/s, "");
        continue;
      }
      const entry = toEntry(header, overrides, type);
      overrides = {};
      const body = readBody(reader, entry.kind === "file" ? size : 0, name);
      yield { ...entry, size, chunks: () => body };
      for await (const _ of body); // what the caller has not taken
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function toEntry(
  header: Uint8Array,
  overrides: { path?: string; linkpath?: string },
  type: string,
): Pick<TarEntry, "name" | "kind" | "target"> {
  const ustar = readText(header.subarray(257, 262)) === "ustar";
  const prefix = ustar && header[263] === 0x30 ? readText(header.subarray(345, 500)) : "";
  const short = readText(header.subarray(0, 100));
  const name = overrides.path ?? (prefix === "" ? short : `${prefix}/${short}`);
  const file = type === "0" || type === "\0" || type === "7";
  return {
    name,
    kind: type === "5" || file && name.endsWith("/")
      ? "directory"
      : file
      ? "file"
      : type === "1"
      ? "hard link"
      : type === "2"
      ? "link"
      : type === "V"
      ? "volume"
      : "other",
    target: overrides.linkpath ?? readText(header.subarray(157, 257)),
  };
}

async function* readBody(reader: ByteReader, size: number, name: string): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const piece = await reader.some(left);
    if (piece.length === 0) throw new SyntaxError(`Cannot read "${name}": the archive is cut off`);
    left -= piece.length;
    yield piece;
  }
  const padding = (BLOCK - size % BLOCK) % BLOCK;
  if ((await reader.exactly(padding)).length < padding) {
    throw new SyntaxError(`Cannot read "${name}": the archive is cut off`);
  }
}

async function readAll(reader: ByteReader, size: number, name: string): Promise<Uint8Array> {
  if (size > 1 << 20) throw new SyntaxError(`Cannot read "${name}": a name of ${size} bytes is not believable`);
  const out = new Uint8Array(size);
  let at = 0;
  for await (const piece of readBody(reader, size, name)) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Whether a block begins an entry: the sum of its bytes, with the field of the sum itself read as spaces, is stored in it. */
export function isTarHeader(block: Uint8Array): boolean {
  let sum = 0;
  block.forEach((byte, i) => sum += i >= 148 && i < 156 ? 32 : byte);
  return block.length === BLOCK && sum === Number.parseInt(readText(block.subarray(148, 156)).trim(), 8);
}

function checkHeader(header: Uint8Array, name: string): void {
  if (!isTarHeader(header)) {
    throw new SyntaxError(`Cannot read "${name}": the file is not a tar archive, or is damaged`);
  }
  if (String.fromCharCode(header[156]!) === "S") {
    throw new SyntaxError(`Cannot read "${name}": sparse files are not read (pack them without --sparse): got GNU's`);
  }
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return decodeName(end < 0 ? field : field.subarray(0, end));
}

/** A name in UTF-8, else in Latin-1, which older systems wrote: no two names become one. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** Octal digits, or (first bit set, GNU) big-endian binary. */
function readNumber(field: Uint8Array, name: string): number {
  if ((field[0]! & 0x80) !== 0) {
    const value = field.reduce((sum, byte, i) => sum * 256 + (i === 0 ? byte & 0x7f : byte), 0);
    if (Number.isSafeInteger(value)) return value;
    throw new SyntaxError(`Cannot read "${name}": the file is not a tar archive, or is damaged`);
  }
  const text = readText(field).trim();
  if (!/^[0-7]*$/.test(text)) {
    throw new SyntaxError(`Cannot read "${name}": the file is not a tar archive, or is damaged`);
  }
  return text === "" ? 0 : parseInt(text, 8);
}

/**
 * Records `LENGTH KEY=VALUE\n` of a pax header; only what changes how an entry is read is kept.
 *
 * @throws {SyntaxError} If a record has another length than it says, a size is none, or the file has holes, which GNU tar
 *   stores as a map in front of what is left.
 */
function parsePax(bytes: Uint8Array, name: string): { path?: string; linkpath?: string; size?: string } {
  const out: Record<string, string> = {};
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const length = parseInt(decodeName(bytes.subarray(at, at + 10)));
    const record = bytes.subarray(at, at + length);
    const [, key = "", value = ""] = /^\d+ ([^=]+)=(.*)\n$/s.exec(decodeName(record)) ?? [];
    if (key === "" || record.length !== length) {
      throw new SyntaxError(
        `Cannot read "${name}": a pax record must be "LENGTH KEY=VALUE": got ${
          quoted(decodeName(bytes.subarray(at, at + 60)))
        }`,
      );
    }
    if (key.startsWith("GNU.sparse.")) {
      throw new SyntaxError(
        `Cannot read "${name}": sparse files are not read (pack them without --sparse): got ${key}`,
      );
    }
    if (key === "size" && !/^\d{1,15}$/.test(value)) {
      throw new SyntaxError(`Cannot read "${name}": a size must be a whole number: got ${quoted(value)}`);
    }
    if (["path", "linkpath", "size"].includes(key)) out[key] = value;
    at += length;
  }
  return out;
}
