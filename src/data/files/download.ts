import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { parseDecimal, replaceBy } from "../../formats/internal.ts";
import { isFile } from "./files.ts";
import { checkAnswer, checkFirstBytes, checkWholeContent, type Expected, fetchSafely, tooLarge } from "./_request.ts";
import { checkOptions } from "../../tensor/internal.ts";

const NAMES = ["md5", "maxBytes", "check", "onProgress", "signal", "retries", "retryDelay", "stallTimeout"] as const;
const MAX_BYTES = 2 ** 33; // of a file of which none is said

/** Progress of a download. */
export interface DownloadProgress {
  /** File name. */
  name: string;
  /** Bytes on disk so far. */
  bytes: number;
  /** Bytes of the whole file, where the server says so. */
  total?: number;
}

/** Options of {@linkcode download}. */
export interface DownloadOptions {
  /** MD5 of the whole file, in hexadecimal. Without it, a part left by an earlier run is not taken up again. */
  md5?: string;
  /** Largest size of the file, bytes (default 2³³): more is refused before it is written. */
  maxBytes?: number;
  /** Looks at the whole file before it gets its name; what it throws refuses the file. For files without a published MD5. */
  check?: (path: string) => Promise<void>;
  /** Callback for every piece. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; the part stays for the next run. */
  signal?: AbortSignal;
  /** Number of times that a connection which broke is taken up again (default 4). */
  retries?: number;
  /** Wait before the first retry, ms, doubled each time (default 1000). */
  retryDelay?: number;
  /** A connection that is silent for this long, ms, counts as broken (default 60,000). */
  stallTimeout?: number;
}

interface Part {
  file: Deno.FsFile;
  bytes: number;
  total?: number;
  /** ETag or date of the remote file, so that two versions are not joined. */
  validator?: string;
  /** Whether the server was ever reached: without a network there is no use in trying again. */
  answered?: boolean;
}

/**
 * Downloads a file: with progress, taken up where it broke off, checked, and given its name only when it is complete.
 *
 * Only https is fetched from, through redirects too (plain http from this machine alone). A web page in place of the
 * file, what does not begin as the ending of `path` says, an empty answer, one that is larger than `maxBytes`, and one of
 * unknown length that nothing checks are refused.
 *
 * While it is under way it is called `path + ".part"`. Two processes that want the same file wait for each other.
 *
 * @param url Where it is.
 * @param path What it shall be called. A file of that name is taken as complete and nothing is fetched.
 * @throws {Deno.errors.Http} If the address is not https, the server cannot be reached, refuses, breaks off too often, or answers
 *   with what cannot be the file.
 * @throws {SyntaxError} If what came does not have the right MD5, twice, or `check` refuses it.
 * @throws {RangeError} If `maxBytes` is not > 0.
 * @throws {TypeError} If `md5` is no MD5.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { download } from "@decoupled/uniformity/data";
 *
 * const folder = await Deno.makeTempDir();
 * await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("hello"));
 *
 * await download(`http://127.0.0.1:${server.addr.port}/x.txt`, `${folder}/x.txt`, { md5:
 * "5d41402abc4b2a76b9719d911017c592" });
 *
 * assertEquals(await Deno.readTextFile(`${folder}/x.txt`), "hello");
 * ```
 */
export async function download(url: string, path: string, given: DownloadOptions = {}): Promise<void> {
  checkOptions("download()", given, NAMES);
  const options = checkNumbers(url, given);
  await Deno.mkdir(dirname(path), { recursive: true });
  using file = await openLocked(`${path}.part`);
  if (await isFile(path)) { // complete before, or another process was faster
    await Deno.remove(`${path}.part`).catch(() => {});
    return;
  }
  const part: Part = { file, bytes: options.md5 === undefined ? 0 : (await file.stat()).size };
  const resumed = part.bytes > 0;
  try {
    await fetchAll(url, part, path, options);
  } catch (error) {
    if (part.bytes === 0) await Deno.remove(`${path}.part`).catch(() => {}); // nothing to go on with
    throw error;
  }
  let sum = options.md5 && await hashFile(file);
  if (resumed && sum !== options.md5) { // the old part was of another file
    Object.assign(part, { bytes: 0, total: undefined, validator: undefined });
    await fetchAll(url, part, path, options);
    sum = await hashFile(file);
  }
  if (sum !== options.md5) {
    await file.truncate(0);
    throw new SyntaxError(`Cannot use "${url}" as its MD5 must be ${options.md5}: current value is ${sum}`);
  }
  const check = options.check ?? (options.md5 === undefined ? checkWholeContent : undefined);
  if (check) await checkWhole(url, `${path}.part`, check, file);
  await file.syncData();
  await replaceBy(`${path}.part`, path);
}

/** Refuses a bound or a checksum that is none: it would let everything, or nothing, pass. */
function checkNumbers(url: string, options: DownloadOptions): DownloadOptions {
  const { maxBytes = MAX_BYTES, md5 } = options;
  if (!(maxBytes > 0)) {
    throw new RangeError(`Cannot download "${url}" as maxBytes must be a number > 0: current value is ${maxBytes}`);
  }
  if (md5 !== undefined && !/^[0-9a-f]{32}$/i.test(md5)) {
    throw new TypeError(`Cannot download "${url}" as md5 must be 32 hexadecimal digits: got "${md5}"`);
  }
  return { ...options, maxBytes, ...md5 === undefined ? {} : { md5: md5.toLowerCase() } };
}

async function checkWhole(
  url: string,
  path: string,
  check: (path: string) => Promise<void>,
  file: Deno.FsFile,
): Promise<void> {
  try {
    await check(path);
  } catch (cause) {
    await file.truncate(0);
    throw new SyntaxError(`Cannot use "${url}": ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Opens a file that nobody else holds; one that was renamed or removed while we waited is opened anew. */
async function openLocked(path: string): Promise<Deno.FsFile> {
  while (true) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    await file.lock(true);
    const [held, named] = await Promise.all([file.stat(), Deno.stat(path).catch(() => null)]);
    if (named !== null && named.ino === held.ino) return file;
    file.close();
  }
}

/**
 * MD5 of a file, in hexadecimal.
 *
 * @param path The file.
 */
export async function md5Of(path: string): Promise<string> {
  using file = await Deno.open(path);
  return await hashFile(file);
}

async function hashFile(file: Deno.FsFile): Promise<string> {
  const hash = createHash("md5");
  await file.seek(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1 << 20);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

async function fetchAll(url: string, part: Part, path: string, options: DownloadOptions): Promise<void> {
  const { retries = 4, retryDelay = 1000 } = options;
  let most = part.bytes; // ever there: a server that begins again and again brings nothing new
  for (let attempt = 0;; attempt++) {
    try {
      return await fetchRest(url, part, path, options);
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (part.bytes > most) attempt = 0; // it moves, so it is worth going on
      most = Math.max(most, part.bytes);
      const fatal = cause instanceof Deno.errors.Http || !part.answered;
      if (fatal || attempt >= retries) {
        throw new Deno.errors.Http(`Cannot download "${url}": ${reasonOf(cause)}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelay * 2 ** attempt));
    }
  }
}

/** Returns the reason of an error: "fetch failed" alone helps nobody, the error below it names the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

async function fetchRest(url: string, part: Part, path: string, options: DownloadOptions): Promise<void> {
  const stall = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  const { stallTimeout = 60_000, maxBytes = MAX_BYTES } = options;
  const expire = () => stall.abort(new Error(`no answer for ${stallTimeout / 1000} s`));
  let timer = setTimeout(expire, stallTimeout);
  try {
    const checked = options.md5 !== undefined || options.check !== undefined;
    const body = await request(url, part, signal, { name: basename(path), maxBytes, checked });
    for await (const chunk of body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(expire, stallTimeout);
      if (part.bytes + chunk.length > maxBytes) throw await forget(part, tooLarge("more", maxBytes));
      if (part.bytes === 0 && options.md5 === undefined) checkFirstBytes(chunk, basename(path));
      for (let at = 0; at < chunk.length;) at += await part.file.write(chunk.subarray(at));
      part.bytes += chunk.length;
      options.onProgress?.({ name: basename(path), bytes: part.bytes, total: part.total });
    }
    if (part.total !== undefined && part.bytes < part.total) {
      throw new Error(`the connection ended after ${part.bytes} of ${part.total} bytes`);
    }
    if (part.bytes === 0) throw new Deno.errors.Http("the server answers with an empty file");
  } finally {
    clearTimeout(timer);
  }
}

/** Empties the part, whose bytes are of no use. */
async function forget<E extends Error>(part: Part, error: E): Promise<E> {
  await part.file.truncate(0);
  part.bytes = 0;
  return error;
}

/** Headers that ask for what a part lacks, or for the whole file where it has changed since. */
function headersFor(part: Part): Headers {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (part.bytes > 0) {
    headers.set("range", `bytes=${part.bytes}-`);
    if (part.validator) headers.set("if-range", part.validator);
  }
  return headers;
}

/** Asks for what is missing, and sets the part to where the answer begins. `null` when nothing is missing. */
async function request(
  url: string,
  part: Part,
  signal: AbortSignal,
  expected: Expected,
): Promise<ReadableStream<Uint8Array> | null> {
  const response = await fetchSafely(url, { headers: headersFor(part), signal });
  part.answered = true;
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  if (response.status === 416 && range && Number(range[2]) === part.bytes) {
    await response.body?.cancel();
    return null;
  }
  const partial = response.status === 206;
  const elsewhere = partial && Number(range?.[1]) !== part.bytes;
  if ((response.status === 416 || elsewhere) && part.bytes > 0) { // the part is of another file: all of it, once
    await response.body?.cancel();
    part.bytes = 0;
    return await request(url, part, signal, expected);
  }
  if (!response.ok || elsewhere) {
    await response.body?.cancel();
    throw refusalOf(response);
  }
  if (!partial) part.bytes = 0;
  const whole = partial ? parseDecimal(range?.[2] ?? "") : null; // a part may end before the file does
  part.total = whole ?? totalOf(response.headers, part.bytes);
  try {
    checkAnswer(response.headers, part.total, expected);
  } catch (error) {
    await response.body?.cancel();
    throw error;
  }
  part.validator = strongValidator(response.headers);
  await part.file.truncate(part.bytes);
  await part.file.seek(part.bytes, Deno.SeekMode.Start);
  return response.body;
}

/** Error of an answer without the file: an `Http` one where trying again is of no use. */
function refusalOf({ ok, status, statusText }: Response): Error {
  if (ok) {
    return new Deno.errors.Http("the server answers with a part of the file that does not say to be its beginning");
  }
  const error = status >= 500 || status === 429 ? Error : Deno.errors.Http;
  return new error(`the server answers ${status} ${statusText}`);
}

/** Bytes of the whole file where its rest is answered, if that says its length. */
function totalOf(headers: Headers, before: number): number | undefined {
  if (headers.has("content-encoding")) return undefined; // the length is then not that of the file
  const length = parseDecimal(headers.get("content-length") ?? "");
  return length === null ? undefined : before + length;
}

function strongValidator(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}
