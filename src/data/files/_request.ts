import { basename } from "node:path";
import { CONTENT_BYTES, contentOf, decodeLatin1 } from "../../formats/internal.ts";
import { type Bytes, FileSource } from "../../formats/mod.ts";

const REDIRECTS = [301, 302, 303, 307, 308];
const HTML = /\.x?html?$/i;
const MOST_REDIRECTS = 10;
const THIS_MACHINE = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Fetches over https only, redirects included: what comes over plain http may be anybody's. Plain http is for servers
 * on this machine, as long as nothing led there.
 *
 * @throws {Deno.errors.Http} If an address is another one, or redirects do not end.
 */
export async function fetchSafely(url: string, init: { headers: Headers; signal: AbortSignal }): Promise<Response> {
  let at = new URL(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const local = at.protocol === "http:" && new URL(url).protocol === "http:" && THIS_MACHINE.includes(at.hostname);
    if (at.protocol !== "https:" && !local) {
      throw new Deno.errors.Http(`${hop === 0 ? "its address" : "where it redirects to"} must be https: got "${at}"`);
    }
    const response = await fetch(at, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) return response;
    await response.body?.cancel();
    at = new URL(location, at);
  }
  throw new Deno.errors.Http(`it redirects more than ${MOST_REDIRECTS} times`);
}

/** Beginnings, as `contentOf()` names them, of files that are told by their endings. */
const CONTENTS: readonly (readonly [ending: RegExp, content: RegExp])[] = [
  [/\.(zip|npz)$/i, /^a zip file/],
  [/\.(tgz|tar\.gz)$/i, /^(gzip|a tar)/], // servers that call it packed have it unpacked on the way
  [/\.gz$/i, /^(gzip|bytes )/],
  [/\.t?xz$/i, /^xz/],
  [/\.t?bz2$/i, /^bzip2/],
  [/\.tar$/i, /^a tar/],
  [/\.npy$/i, /^a NumPy array/],
  [/\.safetensors$/i, /^a safetensors file/],
  [/\.(pth|pt)$/i, /^(a zip file|a pickle|a tar)/],
  [/\.jpe?g$/i, /^a JPEG/],
  [/\.png$/i, /^a PNG/],
];

/** Conditions under which an answer is the file asked for. */
export interface Expected {
  /** Name that the file shall have. */
  name: string;
  /** Largest size of the whole file, bytes. */
  maxBytes: number;
  /** Whether a checksum or a check will tell whether all of it came. */
  checked: boolean;
}

/**
 * Refuses an answer that is a web page (of a captive portal, or "moved"), is packed or too large, or cannot be told from
 * a cut-off one.
 *
 * @param total Bytes of the whole file, where the server says so.
 * @throws {Deno.errors.Http} If it is one of these.
 */
export function checkAnswer(headers: Headers, total: number | undefined, { name, maxBytes, checked }: Expected): void {
  const type = headers.get("content-type") ?? "";
  if (/^(text\/html|application\/xhtml\+xml)\b/i.test(type) && !HTML.test(name)) {
    throw new Deno.errors.Http(`the server answers with a web page (${type}) in place of the file`);
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (!checked && !/^identity$/i.test(encoding) && !/gz$/i.test(name)) { // .tgz is called gzip by some servers
    throw new Deno.errors.Http(`the server packs the file (${encoding}), and no checksum tells whether it is unpacked`);
  }
  if (total !== undefined && total > maxBytes) throw tooLarge(`${total} bytes`, maxBytes);
  if (total === undefined && !checked) {
    throw new Deno.errors.Http(
      "the server does not say how long the file is, and no checksum tells whether all of it came",
    );
  }
}

/**
 * Refuses what begins as a web page, whatever the server calls it, and what does not begin as its name says.
 *
 * @param chunk The first bytes that came; where they are few, {@linkcode checkWholeContent} tells.
 * @throws {Deno.errors.Http} If it does, and the file shall be none.
 */
export function checkFirstBytes(chunk: Uint8Array, name: string): void {
  const start = chunk.slice(0, CONTENT_BYTES);
  if (isPage(start, name)) throw new Deno.errors.Http("the server answers with a web page in place of the file");
  const fault = start.length < CONTENT_BYTES ? null : faultOf(start, name);
  if (fault) throw new Deno.errors.Http(`the server answers with something ${fault}`);
}

function isPage(start: Bytes, name: string): boolean {
  return !HTML.test(name) && contentOf(start).startsWith("a web page");
}

/**
 * Refuses a whole file that is a web page or does not begin as its name says: text, JSON or XML in place of an archive.
 *
 * @throws {SyntaxError} If it does not.
 */
export async function checkWholeContent(path: string): Promise<void> {
  using source = new FileSource(path);
  const start = await source.read(0, Math.min(CONTENT_BYTES, source.size));
  const name = path.replace(/\.part$/, "");
  if (isPage(start, name)) throw new SyntaxError("it is a web page in place of the file"); // its first piece was short
  const fault = faultOf(start, name);
  if (fault) throw new SyntaxError(`it is something ${fault}`);
}

/** Finds what is wrong with the beginning of a file of that name; null where nothing is known of it. */
function faultOf(start: Bytes, name: string): string | null {
  const known = CONTENTS.find(([ending]) => ending.test(name));
  const begins = contentOf(start);
  const isText = begins.startsWith("bytes ") && /^[\t\n\r -~]*$/.test(decodeLatin1(start));
  const content = isText ? "text" : begins;
  if (!known || known[1].test(content)) return null;
  return `other than "${basename(name)}" must be by its ending: got ${content}`;
}

/** The error for a file that is larger than it can be. */
export function tooLarge(got: string, maxBytes: number): Deno.errors.Http {
  return new Deno.errors.Http(`the file must take at most ${maxBytes} bytes: got ${got}`);
}
