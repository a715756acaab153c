import { assert } from "@std/assert";

/** Words of the engine and of the system: whoever reads them has not been told what is wrong with the file. */
const RAW =
  /^Cannot (read propert|set propert|convert|destructure|mix|assign|access|add propert|create propert|define|delete|use 'in')|call stack|Invalid (typed )?(array|string)|is not (a function|iterable|defined)|os error|allocation failed/;
const CLASSES: readonly (new (...args: never[]) => Error)[] = [
  SyntaxError,
  RangeError,
  TypeError,
  Deno.errors.AlreadyExists,
  Deno.errors.NotFound,
];
// deno-lint-ignore no-control-regex -- they are what is looked for
const COMMANDS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

/** Fails unless an error says what is wrong with a file: of a documented class, one sentence of ours, short and printable. */
export function checkError(error: unknown): void {
  assert(error instanceof Error, `no error was thrown but ${error}`);
  assert(CLASSES.some((type) => error instanceof type), `of an undocumented class: ${error.name}: ${error.message}`);
  const { message } = error;
  assert(message.startsWith("Cannot ") && !RAW.test(message), `a raw error: ${error.stack}`);
  assert(message.length < 2000, `a message of ${message.length} characters: ${message.slice(0, 200)}`);
  assert(!COMMANDS.test(message), `a message with commands to the terminal: ${JSON.stringify(message)}`);
}
