import { contentOf } from "../formats/internal.ts";

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
 * Refuses what begins as a web page, whatever the server calls it.
 *
 * @throws {Deno.errors.Http} If it does, and the file shall be none.
 */
export function checkFirstBytes(chunk: Uint8Array, name: string): void {
  if (HTML.test(name) || !contentOf(chunk.slice(0, 512)).startsWith("a web page")) return;
  throw new Deno.errors.Http("the server answers with a web page in place of the file");
}

/** The error for a file that is larger than it can be. */
export function tooLarge(got: string, maxBytes: number): Deno.errors.Http {
  return new Deno.errors.Http(`the file must take at most ${maxBytes} bytes: got ${got}`);
}
