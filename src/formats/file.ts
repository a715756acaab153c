import { isRecord, parseJson } from "./json.ts";
import { quoted } from "./quoted.ts";
import { type ByteSource, newBytes, readExactly } from "./source.ts";
import type { Bytes } from "./dtype.ts";

/** A file, open for reading where needed. Close it, or hold it with `using`. */
export class FileSource implements ByteSource, Disposable {
  /** The number of bytes when it was opened. */
  readonly size: number;
  readonly #file: Deno.FsFile;

  /**
   * Opens a file.
   *
   * @throws {Deno.errors.NotFound} If it is absent.
   * @throws {Deno.errors.IsADirectory} If it is a folder.
   * @throws {TypeError} If it is an address of no file.
   */
  constructor(path: string | URL) {
    pathOf(path);
    try {
      this.#file = Deno.openSync(path, { read: true });
    } catch (cause) {
      throw sayAbsent(path, cause);
    }
    const { size, isDirectory } = this.#file.statSync();
    this.size = size;
    if (!isDirectory) return;
    this.#file.close();
    throw new Deno.errors.IsADirectory(`Cannot read "${path}" as it must be a file: got a folder`);
  }

  /** Reads `length` bytes from `offset` on, fewer when the file has become shorter. */
  // deno-lint-ignore require-await -- seek and read must not be split by another read
  async read(offset: number, length: number): Promise<Bytes> {
    const bytes = newBytes(length, "a file");
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let done = 0;
    while (done < length) {
      const count = this.#file.readSync(bytes.subarray(done));
      if (count === null) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * The path of a file that may be given by its address, as Deno takes it: a `%` that begins no escape is one.
 *
 * @throws {TypeError} If it is an address of no file.
 */
function pathOf(file: string | URL): string {
  if (!(file instanceof URL)) return file;
  try {
    if (file.protocol === "file:") return decodeURIComponent(file.pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    // escapes that are no UTF-8
  }
  throw new TypeError(`Cannot open a file as its address must be file: and UTF-8: got "${file}"`);
}

/** Says in a sentence that a file is not there; other errors stay what they are. */
export function sayAbsent(path: string | URL, cause: unknown): unknown {
  if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) return cause;
  return new Deno.errors.NotFound(`Cannot read "${path}" as there is no such file`, { cause });
}

/** The bytes of a file that is to be read. */
export async function fileSize(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (cause) {
    throw sayAbsent(path, cause);
  }
}

/**
 * Reads a file with one of the readers of this folder, and puts the path in front of what the reader objects to.
 *
 * @param path The file.
 * @param read For example `readNpz`, or `(source) => readTorch(source, { stubs })`.
 * @throws {SyntaxError} What `read` throws, with the path.
 *
 * @example Usage
 * ```ts
 * import { ndarray, npzChunks, readFrom, readNpz, writeWhole } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/prior.npz`;
 * await writeWhole(path, npzChunks({ prior: ndarray([2], "f32", new Float32Array([1, 2])) }));
 * const arrays = await readFrom(path, readNpz);
 * assertEquals(arrays.get("prior")?.shape, [2]);
 * ```
 */
export async function readFrom<T>(path: string | URL, read: (source: ByteSource) => T | Promise<T>): Promise<T> {
  using source = new FileSource(path);
  try {
    return await read(source);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new SyntaxError(`Cannot read "${path}": ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Reads all bytes of a source, for the readers that take bytes. */
export function readAll(source: ByteSource): Promise<Bytes> {
  return readExactly(source, "the file", 0, source.size);
}

/**
 * Reads an object from a file of JSON; null when there is no such file.
 *
 * @throws {SyntaxError} If it is damaged or no object, with the path.
 */
export async function readJson(path: string): Promise<Record<string, unknown> | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
  const value = parseJson(text, `"${path}"`);
  if (isRecord(value)) return value;
  throw new SyntaxError(`Cannot read "${path}" as it must be a JSON object: got ${quoted(value)}`);
}

/**
 * Writes a file whole or not at all: into a file beside it, which takes its place when all of it is on the disk. One that
 * a killed process left, which nobody has written to for an hour, is removed; not where the file itself is younger or new,
 * as that takes a look at the whole folder.
 *
 * @param path The file, which may exist.
 * @param content Text, or bytes piece by piece, for example from `safetensorsChunks` or `npzChunks`.
 * @throws {TypeError} If it is an address of no file.
 *
 * @example Usage
 * ```ts
 * import { ndarray, safetensorsChunks, writeWhole } from "@decoupled/uniformity/formats";
 * import { assert } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/model.safetensors`;
 * await writeWhole(path, safetensorsChunks({ bias: ndarray([2], "f32", new Float32Array(2)) }));
 * assert((await Deno.stat(path)).size > 8);
 * ```
 */
export async function writeWhole(
  path: string | URL,
  content: string | Iterable<Bytes> | AsyncIterable<Bytes>,
): Promise<void> {
  // Where that fails another process was faster, or what follows says what is wrong.
  await removeOldParts(path, pathOf(path)).catch(() => {});
  const part = partOf(path);
  try {
    using opened = await Deno.open(part, { write: true, createNew: true });
    const chunks = typeof content === "string" ? [new TextEncoder().encode(content)] : content;
    for await (const chunk of chunks) await writeAll(opened, chunk);
    await opened.syncData();
    await replaceBy(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {}); // where a folder has the name, the part has no place
    throw error;
  }
}

/** Age at which nobody writes to a part any more, ms. */
const OLD_PART = 3_600_000;

/** Removes what killed processes left of a file that was not written of late. */
async function removeOldParts(path: string | URL, whole: string): Promise<void> {
  const before = Date.now() - OLD_PART;
  const written = await Deno.stat(path).then(({ mtime }) => mtime?.getTime() ?? 0, () => Infinity);
  if (written >= before) return;
  const file = whole.replace(/^.*[/\\]/s, "");
  await removeParts(whole.slice(0, whole.length - file.length) || ".", { file, before });
}

/**
 * Removes what killed processes left half-written in a folder.
 *
 * @param folder The folder.
 * @param of Which: parts of this file alone, and only those last written before a time in ms since 1970. All by default.
 */
export async function removeParts(folder: string, of?: { file: string; before: number }): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const [, file] = /^(.*)\.[0-9a-f]{8}\.part$/s.exec(name) ?? [];
    if (!isFile || file === undefined || of && of.file !== file) continue;
    const path = `${folder}/${name}`;
    const written = of ? (await Deno.stat(path)).mtime?.getTime() ?? Infinity : 0;
    if (!of || written < of.before) await Deno.remove(path);
  }
}

/** A new name beside a file, for what is to take its place: `NAME.0a1b2c3d.part`. */
export function partOf<P extends string | URL>(path: P): P {
  const ending = `.${crypto.randomUUID().slice(0, 8)}.part`;
  return (path instanceof URL ? new URL(path.href + ending) : path + ending) as P;
}

/** Puts a finished file in the place of another one, so that it stays there through a power cut. */
export async function replaceBy(part: string | URL, path: string | URL): Promise<void> {
  await Deno.rename(part, path);
  if (Deno.build.os === "windows") return; // which cannot open folders
  using folder = await Deno.open(path instanceof URL ? new URL(".", path) : path.replace(/[^/]+$/, "") || ".");
  await folder.sync();
}

async function writeAll(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
