import type { Bytes } from "./dtype.ts";

/** Bytes that are read where they are needed: a file, a blob, memory. */
export interface ByteSource {
  /** The number of bytes. */
  readonly size: number;
  /** Reads `length` bytes from `offset` on; both lie inside the source. */
  read(offset: number, length: number): Promise<Bytes>;
}

/** Input of the readers: all the bytes, or a source of them. */
export type Readable = Bytes | ByteSource;

/**
 * Checks that bytes were given, and not the name of their file.
 *
 * @throws {TypeError} If `bytes` is none.
 */
export function checkBytes(bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  const got = typeof bytes === "string" ? "a string" : bytes instanceof Object ? bytes.constructor.name : bytes;
  throw new TypeError(
    `Cannot read a file's bytes as they must be a Uint8Array: got ${got}; await Deno.readFile(path) gives those of a file`,
  );
}

/** A source over bytes in memory; what it reads shares that memory. */
export function toSource(readable: Readable): ByteSource {
  if (readable instanceof Object && "size" in readable && "read" in readable) return readable;
  checkBytes(readable);
  return {
    size: readable.length,
    read: (offset, length) => Promise.resolve(readable.subarray(offset, offset + length)),
  };
}

/** A source over a web `Blob` (a `File` that a user picked in a browser). */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/**
 * Reads from a source and makes sure that all of it came.
 *
 * @throws {SyntaxError} If the range leaves the source, or the source gives fewer bytes.
 */
export async function readExactly(source: ByteSource, what: string, offset: number, length: number): Promise<Bytes> {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (inside && offset + length <= source.size) {
    const bytes = await source.read(offset, length);
    if (bytes.length === length) return bytes;
  }
  throw new SyntaxError(
    `Cannot read ${what} as it ends early: ${length} bytes wanted at ${offset} of ${source.size}`,
  );
}

/**
 * Zeros for what a file says it unpacks to.
 *
 * @throws {RangeError} If there is not that much memory.
 */
export function newBytes(length: number, what: string): Bytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new RangeError(`Cannot read ${what} as there is no memory for it: it takes ${length} bytes`, { cause });
  }
}

/** Joins chunks of bytes. */
export function concatBytes(chunks: Iterable<Bytes>): Bytes {
  const list = [...chunks];
  const result = new Uint8Array(list.reduce((size, chunk) => size + chunk.length, 0));
  let offset = 0;
  for (const chunk of list) {
    result.set(chunk, offset);
    offset += chunk.length;
  }
  return result;
}
