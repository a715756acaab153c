import { quoted } from "./quoted.ts";

/** A Python literal of a NumPy header. */
export type Literal = null | boolean | number | string | Literal[] | { [key: string]: Literal };

const MAX_DEPTH = 16;

/**
 * Reads a Python literal: `None`, `True`, `False`, whole numbers, strings, tuples, lists and dicts with string keys.
 * Nothing is evaluated; anything else throws.
 */
export function parseLiteral(text: string, what: string): Literal {
  const parser = new LiteralParser(text, what);
  const value = parser.value(0);
  parser.end();
  return value;
}

class LiteralParser {
  #at = 0;
  readonly #text: string;
  readonly #what: string;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  end(): void {
    if (this.#peek() !== "") throw this.#unexpected("the end");
  }

  value(depth: number): Literal {
    if (depth > MAX_DEPTH) throw this.#unexpected(`at most ${MAX_DEPTH} brackets inside each other`);
    const next = this.#peek();
    if (next === "(") return this.#sequence(")", depth);
    if (next === "[") return this.#sequence("]", depth);
    if (next === "{") return this.#dict(depth);
    const text = this.#match(/[bu]?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/y);
    if (text) return unescapePython(text[1]!.slice(1, -1));
    const number = this.#match(/-?\d{1,16}(?![\d.eE])L?/y);
    if (number) return parseInt(number[0]);
    const name = this.#match(/True\b|False\b|None\b/y);
    if (name) return name[0] === "None" ? null : name[0] === "True";
    throw this.#unexpected("a literal");
  }

  /** A tuple or a list; `(x)` is x and `(x,)` a tuple, as in Python. */
  #sequence(close: string, depth: number): Literal {
    this.#at++;
    const items: Literal[] = [];
    let comma = false;
    while (this.#peek() !== close) {
      if (items.length > 0 && !comma) throw this.#unexpected(`"," or "${close}"`);
      items.push(this.value(depth + 1));
      comma = this.#skip(",");
    }
    this.#at++;
    return close === ")" && items.length === 1 && !comma ? items[0]! : items;
  }

  #dict(depth: number): Literal {
    this.#at++;
    const entries = new Map<string, Literal>();
    let comma = true;
    while (this.#peek() !== "}") {
      if (!comma) throw this.#unexpected('"," or "}"');
      const key = this.value(depth + 1);
      if (typeof key !== "string" || entries.has(key)) throw this.#unexpected("a new key in quotes");
      if (!this.#skip(":")) throw this.#unexpected('":"');
      entries.set(key, this.value(depth + 1));
      comma = this.#skip(",");
    }
    this.#at++;
    return Object.fromEntries(entries);
  }

  #peek(): string {
    this.#match(/\s*/y);
    return this.#text.charAt(this.#at);
  }

  #skip(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #unexpected(wanted: string): SyntaxError {
    const found = quoted(this.#text.slice(this.#at, this.#at + 30));
    return new SyntaxError(`Cannot read ${this.#what} as ${wanted} must be at ${this.#at} of its header: got ${found}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** Resolves the backslashes of a Python string literal. */
export function unescapePython(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([^]))/g, (_, hex?: string, octal?: string, one = "") => {
    if (hex) return String.fromCharCode(parseInt(hex, 16));
    if (octal) return String.fromCharCode(parseInt(octal, 8) & 255);
    return ESCAPES[one] ?? (one === "\n" ? "" : one === "\\" || one === "'" || one === '"' ? one : `\\${one}`);
  });
}
