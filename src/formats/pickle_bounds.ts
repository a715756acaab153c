import { isNdArray, isStringArray } from "./ndarray.ts";
import { PickleObject, PickleOpaque, type PickleValue } from "./pickle_values.ts";

/** Values inside each other, at most; Python's own pickler takes about 500. */
export const MAX_DEPTH = 1000;
const REFERENCE = 16;
const LIST = 64;
const DICT = 256;
const OPAQUE = 1024;

/** Estimates how many bytes a value takes, without the values that it refers to. */
export function heldBytes(value: PickleValue): number {
  if (typeof value === "string") return 32 + 2 * value.length;
  if (typeof value !== "object" || value === null) return REFERENCE;
  if (Array.isArray(value)) return LIST + REFERENCE * value.length;
  if (value instanceof Map || value instanceof Set) return DICT + 4 * REFERENCE * value.size;
  if (value instanceof Uint8Array) return DICT + value.length;
  if (isStringArray(value)) return value.data.reduce((sum, text) => sum + DICT + 2 * text.length, DICT);
  if (isNdArray(value)) return DICT + value.data.byteLength;
  return OPAQUE;
}

/** Counts the operations of a pickle and the memory of what they make and copy, and stops it where it takes too much. */
export class PickleBudget {
  readonly #maxSteps: number;
  readonly #maxBytes: number;
  #steps = 0;
  #bytes = 0;

  /** Sets the bounds; `maxBytes` is in the units of {@linkcode heldBytes}. */
  constructor(maxSteps: number, maxBytes: number) {
    this.#maxSteps = maxSteps;
    this.#maxBytes = maxBytes;
  }

  /** Counts an operation. */
  step(): void {
    if (++this.#steps <= this.#maxSteps) return;
    throw new SyntaxError(`Cannot run unpickle() as maxSteps is ${this.#maxSteps}: the pickle takes more`);
  }

  /** Counts memory. */
  charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return;
    throw new SyntaxError(`Cannot run unpickle() as maxBytes is ${this.#maxBytes}: what the pickle makes takes more`);
  }
}

/**
 * Checks that whoever walks through a value comes to an end: depth, and the number of values when a shared one is counted at
 * each place that refers to it. A value that holds itself counts once.
 *
 * @throws {SyntaxError} If there are more than 1000 containers inside each other, or more than `maxValues` values.
 */
export function checkExtent(root: PickleValue, maxValues: number): void {
  const known = new Map<PickleValue, Extent>();
  const open: Walk[] = [walk(root)];
  while (open.length > 0) {
    if (open.length > MAX_DEPTH) throw tooDeep();
    const top = open.at(-1)!;
    const { value, done } = top.parts.next();
    if (done) {
      open.pop();
      known.set(top.value, top.extent);
      const above = open.at(-1);
      if (above) include(above.extent, top.extent, maxValues);
    } else if (!isContainer(value)) top.extent.values++;
    else if (known.has(value)) include(top.extent, known.get(value)!, maxValues);
    else {
      known.set(value, { depth: 1, values: 1 }); // until it is done: one that holds itself
      open.push(walk(value));
    }
  }
}

interface Extent {
  depth: number;
  values: number;
}

interface Walk {
  value: PickleValue;
  extent: Extent;
  parts: Iterator<PickleValue>;
}

function walk(value: PickleValue): Walk {
  return { value, extent: { depth: 1, values: 1 }, parts: partsOf(value) };
}

function include(whole: Extent, part: Extent, maxValues: number): void {
  whole.values += part.values;
  whole.depth = Math.max(whole.depth, part.depth + 1);
  if (whole.depth > MAX_DEPTH) throw tooDeep();
  if (whole.values > maxValues) {
    throw new SyntaxError(
      `Cannot run unpickle() as at most ${maxValues} values may be in it, a shared one counted at each place: got more`,
    );
  }
}

function tooDeep(): SyntaxError {
  return new SyntaxError(`Cannot run unpickle() as at most ${MAX_DEPTH} values may be inside each other: got more`);
}

function isContainer(value: PickleValue): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set || value instanceof PickleObject;
}

function* partsOf(value: PickleValue): Generator<PickleValue> {
  if (Array.isArray(value) || value instanceof Set) yield* value;
  else if (value instanceof Map) {
    for (const [key, item] of value) {
      yield key;
      yield item;
    }
  } else if (value instanceof PickleObject) {
    yield value.args as PickleValue[];
    yield* [value.kwargs, value.state, value.items, value.elements];
  } else if (value instanceof PickleOpaque) return;
}
