/** The key of a stream of random numbers; see {@linkcode key}. */
export type Key = readonly [number, number];

/** Philox4x32-10 on the host: the same words as `shaders/lib/philox.wgsl`. */
export function philox(counter: readonly [number, number, number, number], key: Key): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const highX = mulHigh(0xd2511f53, a);
    const lowX = Math.imul(0xd2511f53, a);
    const highZ = mulHigh(0xcd9e8d57, c);
    const lowZ = Math.imul(0xcd9e8d57, c);
    [a, b, c, d] = [(highZ ^ b ^ k0) >>> 0, lowZ >>> 0, (highX ^ d ^ k1) >>> 0, lowX >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/**
 * The key of a stream: a seed and where the numbers are used, for example `key(seed, epoch, sample, view)`. Streams of
 * different keys are independent, whatever order they are drawn in.
 *
 * @param seed Integer, 0 ≤ seed < 2⁵³.
 * @param path Integers ≥ 0.
 * @throws {RangeError} If one is not such an integer.
 *
 * @example Usage
 * ```ts
 * import { key } from "@decoupled/uniformity";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * assertEquals(key(1, 2), key(1, 2));
 * assertNotEquals(key(1, 2), key(2, 1));
 * ```
 */
export function key(seed: number, ...path: number[]): Key {
  for (const n of [seed, ...path]) {
    if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`Cannot make a key of ${n}: want an integer >= 0`);
  }
  let state: Key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  path.forEach((n, i) => {
    const word = philox([n >>> 0, Math.floor(n / 2 ** 32) >>> 0, i, 0x6b6579], state);
    state = [word[0], word[1]];
  });
  return state;
}

/** Draws `count` uniform numbers in [0, 1) on the host, 24 bits each, the same as `uniform` makes on the GPU. */
export function uniformNumbers(count: number, key: Key): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i * 4 < count; i++) {
    const words = philox([i, 0, 0, 0], key);
    for (let j = 0; j < 4 && i * 4 + j < count; j++) values[i * 4 + j] = (words[j]! >>> 8) / 2 ** 24;
  }
  return values;
}

/**
 * The integers 0 … n − 1 in random order (Fisher and Yates), on the host.
 *
 * @throws {RangeError} If n is not an integer from 0 to 2³² − 1.
 *
 * @example Usage
 * ```ts
 * import { key, shuffled } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shuffled(4, key(0)).toSorted(), new Uint32Array([0, 1, 2, 3]));
 * ```
 */
export function shuffled(n: number, key: Key): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32) {
    throw new RangeError(`Cannot draw a permutation as n must be an integer from 0 to 2^32 - 1: got ${n}`);
  }
  checkKey(key);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let words: readonly number[] = [];
  for (let i = n - 1; i > 0; i--) {
    const draw = n - 1 - i;
    if (draw % 4 === 0) words = philox([draw / 4, 0, 0, 1], key);
    const j = mulHigh(words[draw % 4]!, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** High 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = a0 * b1 + (middle % 65536);
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * Checks that a key is two words.
 *
 * @throws {TypeError} If it is anything else, such as a number.
 */
export function checkKey(key: unknown): void {
  if (Array.isArray(key) && key.length === 2 && key.every((word) => word === word >>> 0)) return;
  throw new TypeError(`Cannot draw numbers as key must be made by key(): got ${key}`);
}
