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
  checkKeys(text, what);
  return value;
}

/** Whether a value of a file is an object with names. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Goes once through valid JSON, without recursion. */
function checkKeys(text: string, what: string): void {
  const open: (Set<string> | undefined)[] = [];
  let last: [start: number, end: number] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      last = [at, end];
      at = end - 1;
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : undefined);
      if (open.length > MAX_DEPTH) {
        throw new SyntaxError(
          `Cannot read ${what} as at most ${MAX_DEPTH} brackets may be inside each other: got more`,
        );
      }
    } else if (character === "}" || character === "]") open.pop();
    else if (character === ":") {
      const key = JSON.parse(text.slice(...last)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) throw new SyntaxError(`Cannot read ${what} as no key may come twice: got ${quoted(key)}`);
      keys?.add(key);
    }
  }
}

/** The position behind a string that begins at `start`: a quote with an even number of backslashes in front of it ends it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1);; end = text.indexOf('"', end + 1)) {
    let slash = end;
    while (text[slash - 1] === "\\") slash--;
    if ((end - slash) % 2 === 0) return end + 1;
  }
}
