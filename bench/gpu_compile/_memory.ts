// C structures in memory, for calls of a native library.

/** One field of a structure: a 32-bit number, a float, or what takes 64 bits: a number, or memory pointed to (or nothing). */
export type Field =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly u64: bigint }
  | { readonly to: Uint8Array<ArrayBuffer> | null };

/** Memory that is pointed to lives as long as what points to it. */
const pointedTo = new WeakMap<Uint8Array, Uint8Array[]>();

/** A structure of these fields, each aligned to its size. */
export function struct(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 * fields.length);
  const view = new DataView(bytes.buffer);
  const held: Uint8Array[] = [];
  let at = 0;
  for (const field of fields) {
    if ("u32" in field) view.setUint32(at, field.u32, true);
    else if ("f32" in field) view.setFloat32(at, field.f32, true);
    else {
      at = Math.ceil(at / 8) * 8;
      view.setBigUint64(at, "u64" in field ? field.u64 : addressOf(field.to), true);
      if ("to" in field && field.to) held.push(field.to);
    }
    at += "u32" in field || "f32" in field ? 4 : 8;
  }
  const whole = bytes.subarray(0, Math.ceil(at / 8) * 8);
  pointedTo.set(whole, held);
  return whole;
}

/** Structures one after the other, as C's arrays. */
export function array(structs: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(structs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of structs) {
    bytes.set(each, at);
    at += each.length;
  }
  pointedTo.set(bytes, [...structs]);
  return bytes;
}

/** A text that ends with a zero byte. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The text of a field of characters. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** Address of memory; 0 for none. */
export function addressOf(bytes: Uint8Array<ArrayBuffer> | null): bigint {
  return bytes ? Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)) : 0n;
}
