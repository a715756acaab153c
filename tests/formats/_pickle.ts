import { assertThrows } from "@std/assert";
import { chainGlobals, numpyGlobals, type PickleOptions, pythonGlobals, unpickle } from "../../src/formats/internal.ts";
import type { PickleValue } from "../../src/formats/mod.ts";
import { latin1 } from "./_helpers.ts";

/** Globals of Python and NumPy. */
export const globals = chainGlobals(pythonGlobals, numpyGlobals);

/** Reads a pickle that is written as text. */
export function read(pickle: string, options: PickleOptions = {}): PickleValue {
  return unpickle(latin1(pickle), options);
}

/** Asserts that a pickle is refused. */
export function refuses(pickle: string, message: string, options: PickleOptions = {}): void {
  assertThrows(() => read(pickle, options), SyntaxError, message);
}
