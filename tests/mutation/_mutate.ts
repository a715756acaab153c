import type { Bytes } from "../../src/formats/mod.ts";
import { concatBytes } from "../../src/formats/source.ts";

/** A repeatable stream of whole numbers below a bound. */
export type Draw = (below: number) => number;

/** Philox is for the device; here a 32-bit generator (xorshift) is enough. */
export function draws(seed: number): Draw {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Numbers that readers trip over: nothing, ends of ranges, lengths that are no lengths. */
const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const WORDS = [
  ...[
    "null",
    "{}",
    "[]",
    "-1",
    "1e999",
    '""',
    "NaN",
    "true",
    "__proto__",
    "constructor",
    "[[[[[[[[",
    '{"a":{"a":{"a":',
  ],
  ..."\0|\n|'|\"|,|:|\\|../|/|é|\x1b[2J|\u202e|9007199254740993|99999999999999999999|0x10".split("|"),
];

type Change = (bytes: Bytes, draw: Draw, others: readonly Bytes[]) => Bytes;

const CHANGES: readonly Change[] = [
  (bytes, draw) => edit(bytes, (copy) => copy[draw(copy.length)]! ^= 1 << draw(8)),
  (bytes, draw) => edit(bytes, (copy) => copy[draw(copy.length)] = draw(256)),
  (bytes, draw) => edit(bytes, (copy) => setNumber(copy, draw)),
  (bytes, draw) => splice(bytes, draw, new Uint8Array(0)), // cuts a piece out
  (bytes, draw) => bytes.slice(0, draw(bytes.length)),
  (bytes, draw) => splice(bytes, draw, text(WORDS[draw(WORDS.length)]!)),
  (bytes, draw) => splice(bytes, draw, new Uint8Array(1 + draw(64)).fill(draw(256))),
  (bytes, draw) => splice(bytes, draw, piece(bytes, draw)), // moves or repeats a piece
  (bytes, draw, others) => splice(bytes, draw, piece(others[draw(others.length)]!, draw)),
  (bytes, draw) => replaceToken(bytes, draw),
];

/** A file with one to four changes. */
export function mutate(originals: readonly Bytes[], draw: Draw): Bytes {
  let bytes = originals[draw(originals.length)]!;
  for (let left = 1 + draw(4); left > 0 && bytes.length > 0; left--) {
    bytes = CHANGES[draw(CHANGES.length)]!(bytes, draw, originals);
  }
  return bytes;
}

function edit(bytes: Bytes, change: (copy: Bytes) => void): Bytes {
  const copy = bytes.slice();
  change(copy);
  return copy;
}

function setNumber(copy: Bytes, draw: Draw): void {
  const size = [1, 2, 4][draw(3)]!;
  const at = draw(copy.length);
  const value = NUMBERS[draw(NUMBERS.length)]!;
  const big = draw(2) === 1;
  for (let i = 0; i < size && at + i < copy.length; i++) copy[at + i] = value >>> (8 * (big ? size - 1 - i : i));
}

/** Puts something in place of a short piece. */
function splice(bytes: Bytes, draw: Draw, insert: Bytes): Bytes {
  const at = draw(bytes.length + 1);
  return concatBytes([bytes.slice(0, at), insert, bytes.slice(at + draw(draw(2) ? 4 : 64))]);
}

function piece(bytes: Bytes, draw: Draw): Bytes {
  const at = draw(bytes.length);
  return bytes.slice(at, at + draw(512));
}

/** Puts a word in place of a number or a quoted text. */
function replaceToken(bytes: Bytes, draw: Draw): Bytes {
  const latin1 = Array.from(bytes.subarray(0, 20_000), (byte) => String.fromCharCode(byte)).join("");
  const tokens = [...latin1.matchAll(/-?\d[\d.e+-]*|"[^"\n]{0,80}"|'[^'\n]{0,80}'|[a-z_]{3,}/gi)];
  if (tokens.length === 0) return bytes;
  const { index, 0: token } = tokens[draw(tokens.length)]!;
  return concatBytes([bytes.slice(0, index), text(WORDS[draw(WORDS.length)]!), bytes.slice(index + token.length)]);
}

function text(word: string): Bytes {
  return new TextEncoder().encode(word);
}
