import { assert } from "@std/assert";
import { type Bytes, type NdArray, ndarray, type NdDType } from "../../src/formats/mod.ts";
import { elementCount, itemSize, ND_DTYPES } from "../../src/formats/internal.ts";
import { decodeElements } from "../../src/formats/dtype.ts";

/** The bytes of a committed file. */
export function fixture(name: string): Promise<Bytes> {
  return Deno.readFile(new URL(`./fixtures/${name}`, import.meta.url));
}

/** Bytes from text of characters up to U+00FF: `latin1("\x80\x02N.")`. */
export function latin1(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Little-endian bytes of a whole number. */
export function little(value: number | bigint, size: number): string {
  let text = "";
  for (let i = 0; i < size; i++) text += String.fromCharCode(Number((BigInt(value) >> BigInt(8 * i)) & 255n));
  return text;
}

/** A repeatable stream of numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** An array of random bits; `bool` is 0 or 1. */
export function randomArray(next: () => number, dtype?: NdDType): NdArray {
  const type = dtype ?? ND_DTYPES[Math.floor(next() * ND_DTYPES.length)]!;
  const shape = Array.from({ length: Math.floor(next() * 4) }, () => Math.floor(next() * 5));
  const bytes = new Uint8Array(elementCount(shape) * itemSize(type));
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next() * (type === "bool" ? 2 : 256));
  return ndarray(shape, type, decodeElements(bytes, type));
}

/** The bytes of an array, so that NaNs compare too. */
export function bitsOf({ shape, dtype, data }: NdArray): string {
  return `${dtype} [${shape}] ${new Uint8Array(data.buffer, data.byteOffset, data.byteLength)}`;
}

/** Reads every damaged variant of a file: each must be read, or refused as unreadable or too large, and nothing else. */
export async function survives(variants: Iterable<Bytes>, read: (bytes: Bytes) => unknown): Promise<number> {
  let refused = 0;
  for (const bytes of variants) {
    try {
      await read(bytes);
    } catch (error) {
      assert(error instanceof SyntaxError || error instanceof RangeError, `a reader failed with ${error}`);
      assert(!/call stack|Invalid (typed )?array/.test(error.message), `a reader failed with ${error}`);
      refused++;
    }
  }
  return refused;
}

/** Yields every proper beginning of a file. */
export function* truncations(bytes: Bytes): Generator<Bytes> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
}

/** The file with one byte changed, for each byte and each of a few changes. */
export function* damages(bytes: Bytes, masks: readonly number[] = [0x01, 0x80, 0xff]): Generator<Bytes> {
  for (let i = 0; i < bytes.length; i++) {
    for (const mask of masks) {
      const damaged = bytes.slice();
      damaged[i]! ^= mask;
      yield damaged;
    }
  }
}
