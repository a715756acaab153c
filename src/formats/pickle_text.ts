import { damaged } from "./pickle_values.ts";
import type { Bytes } from "./dtype.ts";
import { unescapePython } from "./python_text.ts";
import { quoted } from "./quoted.ts";

/** Longest whole number that is read, in bytes: longer ones are no one's data and would only take time. */
const MAX_LONG_BYTES = 1024;

/** A number when it is exact, else a bigint. */
export function narrow(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** A whole number in little-endian two's complement. */
export function decodeLongBytes(bytes: Bytes): number | bigint {
  if (bytes.length > MAX_LONG_BYTES) throw damaged(`a whole number must take at most ${MAX_LONG_BYTES} bytes`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return narrow(BigInt.asIntN(8 * bytes.length, value));
}

/** Protocol 0's `int`, where `00` and `01` are the truth values. */
export function parseIntText(text: string): number | bigint | boolean {
  if (text === "00" || text === "01") return text === "01";
  return parseLongText(text);
}

/** Protocol 0's `long`: digits and perhaps an `L`. */
export function parseLongText(text: string): number | bigint {
  if (!/^-?\d{1,4300}L?$/.test(text)) {
    throw damaged(`a whole number must be digits, not ${quoted(text, 40)}`);
  }
  return narrow(BigInt(text.replace("L", "")));
}

const SPECIAL: ReadonlyMap<string, number> = new Map([["nan", NaN], ["inf", Infinity], ["-inf", -Infinity]]);

/** Protocol 0's `float`. */
export function parseFloatText(text: string): number {
  const special = SPECIAL.get(text);
  if (special !== undefined) return special;
  if (!/^-?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) {
    throw damaged(`a float must be decimal, not ${quoted(text, 40)}`);
  }
  return Number(text);
}

/** Protocol 0's `str`: a Python literal in quotes. */
export function parseStringText(text: string): string {
  const quote = text.charAt(0);
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote)) {
    throw damaged(`a string must be in quotes, not ${quoted(text, 40)}`);
  }
  return unescapePython(text.slice(1, -1));
}

/** Protocol 0's `unicode`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. */
export function parseRawUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = parseInt(short ?? long ?? "", 16);
    if (code > 0x10ffff) throw damaged(`a character must be <= 0x10FFFF, not ${code}`);
    return String.fromCodePoint(code);
  });
}
