import { quoted } from "./quoted.ts";

const MAX_DEPTH = 100;

/**
 * Reads JSON from a file: whole, not too deep, and with no key twice. `JSON.parse` keeps the last of two equal keys without
 * a word, which would let one file mean two things.
 *
 * @param text The text.
 * @param what Names it in errors.
 * @throws {SyntaxError} If it is no JSON, more than 100 brackets deep, or an object has a key twice.
 */
export function parseJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${what} as it must be JSON: got ${quoted(text)}`, { cause });
  }
  checkKeys(text, value, what);
  return value;
}

/** Whether a value of a file is an object with names. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Compares how many keys are written with how many were kept; only where they differ is the one that comes twice looked for. */
function checkKeys(text: string, value: unknown, what: string): void {
  let written = 0;
  walkKeys(text, what, () => written++);
  if (written === countKeys(value)) return;
  const seen = new Set<string>();
  walkKeys(text, what, (object, start, end) => {
    const key = JSON.parse(text.slice(start, end)) as string;
    if (seen.size === seen.add(`${object}:${key}`).size) {
      throw new SyntaxError(`Cannot read ${what} as no key may come twice: got ${quoted(key)}`);
    }
  });
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) { for (const each of value) count += countKeys(each); }
  else for (const key in value) count += 1 + countKeys((value as Record<string, unknown>)[key]);
  return count;
}

/** Goes once through valid JSON, without recursion: tells the number of the object and the place in the text of each key. */
function walkKeys(text: string, what: string, visit: (object: number, start: number, end: number) => void): void {
  const open: number[] = [];
  let [brackets, start, end] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      start = at;
      end = endOfString(text, at);
      at = end - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      open.push(brackets++);
      if (open.length > MAX_DEPTH) {
        throw new SyntaxError(
          `Cannot read ${what} as at most ${MAX_DEPTH} brackets may be inside each other: got more`,
        );
      }
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
    else if (code === COLON) visit(open.at(-1)!, start, end);
  }
}

/** The position behind a string that begins at `start`: a quote with an even number of backslashes in front of it ends it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1);; end = text.indexOf('"', end + 1)) {
    let slash = end;
    while (text.charCodeAt(slash - 1) === BACKSLASH) slash--;
    if ((end - slash) % 2 === 0) return end + 1;
  }
}
