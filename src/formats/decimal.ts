/**
 * The number that a text says in decimal digits, with a sign, a point and an exponent where it has any; `null` when it says
 * anything else. The one place where texts of people and of their files become numbers: JavaScript's `Number()` takes blanks
 * for 0, and `0x10` and `Infinity` for numbers.
 */
export function parseDecimal(text: string): number | null {
  const trimmed = text.trim();
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : null;
}
