import type { EmojiSet } from "../../src/data/mod.ts";
import type { EmojiSplit, VENDORS } from "./data.ts";

/** Name of the benchmark: these images, labels, words and split. Another split or another set gets another version. */
export const BENCHMARK = "emoji-32 v1";

/** First 16 digits of the SHA-256 of each part of {@linkcode BENCHMARK}, integers and floats being little-endian. */
export const CHECKSUMS: Readonly<Record<string, string>> = {
  twitter: "b652e928b8d7e4ec",
  google: "c5182cae9a642679",
  labels: "9348184a51704e66",
  sublabels: "7279335f9aa5099c",
  words: "e0c9c2bce13e3558",
  train: "8ab20de00af5e2d2",
  validation: "377f12d4c85bd273",
  test: "96de26e6ca98b1db",
};

/** The checksums of some emoji and their split. */
export async function checksumsOf(
  { pixels, labels, sublabels, prior }: EmojiSet<(typeof VENDORS)[number]>,
  { train, validation, test }: EmojiSplit,
): Promise<Record<string, string>> {
  const parts = { ...pixels, labels, sublabels, words: prior.data, train, validation, test };
  const entries = Object.entries(parts).map(async ([name, { buffer, byteOffset, byteLength }]) => {
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [name, hex.slice(0, 16)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Checks that emoji are those of the benchmark.
 *
 * @throws {TypeError} If a part differs; the message names it.
 */
export function checkBenchmark(found: Readonly<Record<string, string>>): void {
  for (const [name, checksum] of Object.entries(CHECKSUMS)) {
    if (found[name] === checksum) continue;
    throw new TypeError(
      `Cannot load ${BENCHMARK} as its ${name} must have the checksum ${checksum}: got ${found[name]}`,
    );
  }
}
