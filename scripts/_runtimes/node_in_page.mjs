// What the stand-ins for @std take of Node, for a page.

/** As text, for messages. */
export const inspect = (value) =>
  value?.[Symbol.for("Deno.customInspect")]?.() ?? JSON.stringify(value) ?? String(value);
/** Nothing in a page colours text. */
export const stripVTControlCharacters = (text) => text;
/** The error of assertions. */
export class AssertionError extends Error {
  constructor(options) {
    super(options?.message);
  }
}
