/** Characters that a terminal obeys or that turn the text around it: controls, line separators, direction marks. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const COMMANDS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text in which nothing is a command to a terminal: `\x1b` becomes the four characters `\x1b`. */
export function escapeCommands(text: string): string {
  return text.replace(COMMANDS, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** Lines for a person, without commands to the terminal: names of files and texts in them may hold any. */
export function printable(text: string): string {
  return text.split("\n").map(escapeCommands).join("\n");
}

/** A line of JSON, in which `\u009b` and the like are spelled out too. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    COMMANDS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Text of a file, for an error message: in quotes, printable, and of a bounded length.
 *
 * @param text What the file says; a short list or object as JSON, a longer one by its kind.
 * @param limit Characters that are shown at most.
 */
export function quoted(text: unknown, limit = 60): string {
  if (typeof text !== "string") return kindOf(text, limit);
  return text.length > limit ? `"${escapeCommands(text.slice(0, limit))}…"` : `"${escapeCommands(text)}"`;
}

/** A few texts out of many: `"a", "b", "c" and 5 more`. */
export function quotedSome(texts: Iterable<unknown>, limit = 5): string {
  const all = [...texts];
  const shown = all.slice(0, limit).map((text) => quoted(text)).join(", ");
  return all.length > limit ? `${shown} and ${all.length - limit} more` : shown || "none";
}

function kindOf(value: unknown, limit: number): string {
  if (value === undefined) return "nothing";
  if (typeof value !== "object" || value === null) return String(value).slice(0, limit);
  const list = Array.isArray(value);
  const plain = list || Object.getPrototypeOf(value) === Object.prototype;
  const parts: unknown[] = list ? value : plain ? Object.values(value) : [];
  if (plain && parts.length <= 8 && parts.every(isPlain)) {
    const text = JSON.stringify(value);
    if (text.length <= limit) return escapeCommands(text);
  }
  return list ? `a list of ${value.length}` : "an object";
}

function isPlain(value: unknown): boolean {
  return value === null || ["number", "boolean", "string"].includes(typeof value);
}
