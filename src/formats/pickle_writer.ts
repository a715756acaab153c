import type { Bytes } from "./dtype.ts";
import { concatBytes } from "./source.ts";

const text = new TextEncoder();

/** Writes a pickle of protocol 2, which every Python since 2.3 reads. */
export class PickleWriter {
  readonly #chunks: Bytes[] = [];

  /** Begins the pickle. */
  start(): void {
    this.#op(0x80, Uint8Array.of(2));
  }

  /** Ends the pickle and returns it. */
  finish(): Bytes {
    this.#op(".");
    return concatBytes(this.#chunks);
  }

  /** A value without parts. */
  plain(value: null | boolean | number | bigint | string): void {
    if (value === null) this.#op("N");
    else if (typeof value === "boolean") this.#op(value ? 0x88 : 0x89);
    else if (typeof value === "string") this.#string(value);
    else if (typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0))) this.#integer(value);
    else this.#op("G", packed(8, (view) => view.setFloat64(0, value)));
  }

  /** A list; `each` writes an item. */
  list<T>(items: readonly T[], each: (item: T) => void): void {
    this.#op("]");
    this.#op("(");
    for (const item of items) each(item);
    this.#op("e");
  }

  /** A dict; `each` writes a value. */
  dict<T>(entries: readonly (readonly [string | number, T])[], each: (value: T) => void): void {
    this.#op("}");
    this.#op("(");
    for (const [key, value] of entries) {
      this.plain(key);
      each(value);
    }
    this.#op("u");
  }

  /** A tuple of what `parts` writes. */
  tuple(parts: () => void): void {
    this.#op("(");
    parts();
    this.#op("t");
  }

  /** A class or function. */
  global(module: string, name: string): void {
    this.#op("c", text.encode(`${module}\n${name}\n`));
  }

  /** Calls the function before the tuple with the tuple. */
  reduce(): void {
    this.#op("R");
  }

  /** Calls a class or function with nothing. */
  call(module: string, name: string): void {
    this.global(module, name);
    this.#op(")");
    this.reduce();
  }

  /** Turns the last value into a persistent id. */
  persistent(): void {
    this.#op("Q");
  }

  #string(value: string): void {
    const bytes = text.encode(value);
    this.#op("X", packed(4, (view) => view.setUint32(0, bytes.length, true)));
    this.#chunks.push(bytes);
  }

  #integer(value: number | bigint): void {
    if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.#op("J", packed(4, (view) => view.setInt32(0, Number(value), true)));
      return;
    }
    const bytes: number[] = [];
    let byte = 0;
    let rest = BigInt(value);
    // Two's complement, until what is left is only the sign of the last byte.
    do {
      byte = Number(BigInt.asUintN(8, rest));
      bytes.push(byte);
      rest >>= 8n;
    } while (rest !== (byte < 128 ? 0n : -1n));
    if (bytes.length > 255) {
      throw new RangeError(`Cannot write a pickle as whole numbers must take <= 255 bytes: got ${bytes.length}`);
    }
    this.#op(0x8a, Uint8Array.of(bytes.length, ...bytes));
  }

  #op(code: string | number, argument?: Bytes): void {
    this.#chunks.push(Uint8Array.of(typeof code === "string" ? code.charCodeAt(0) : code));
    if (argument) this.#chunks.push(argument);
  }
}

function packed(size: number, write: (view: DataView) => void): Bytes {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}
