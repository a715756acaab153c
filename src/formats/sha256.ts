import { concatBytes } from "./source.ts";

/** SHA-256 of texts and arrays, one after the other, in hexadecimal. */
export async function sha256(parts: Iterable<string | ArrayBufferView>): Promise<string> {
  const encoder = new TextEncoder();
  const bytes = Array.from(
    parts,
    (part) =>
      typeof part === "string"
        ? encoder.encode(part)
        : new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength),
  );
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", concatBytes(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
