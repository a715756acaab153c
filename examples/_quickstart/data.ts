import { type EmojiSet, loadEmoji, NORMALIZATION, type PixelDataset, type PriorRows } from "../../src/data/mod.ts";
import { key, shuffled } from "../../mod.ts";

/** The vendors whose drawings are learnt from and compared. */
export const VENDORS = ["twitter", "google"] as const;

/** Bytes of one image. */
const BYTES = 32 * 32 * 3;

/** Emoji to learn from, in both drawings, and emoji to test on. */
export interface QuickstartData {
  /** Training images: all drawings of the first vendor, then all of the second, and their words. */
  readonly train: PixelDataset & { prior: PriorRows; labels: Int32Array<ArrayBuffer> };
  /** Subcategory of each training image. */
  readonly trainSubcategory: Int32Array;
  /** Held-out images of each vendor `[n, 32, 32, 3]`; row i is the same emoji in both. */
  readonly test: Readonly<Record<(typeof VENDORS)[number], Uint8Array<ArrayBuffer>>>;
  /** Short name of each held-out emoji. */
  readonly names: readonly string[];
  /** Category of each held-out emoji. */
  readonly category: Int32Array;
  /** Subcategory of each held-out emoji. */
  readonly subcategory: Int32Array;
}

/** Loads the emoji and holds 20 % of them out, the same ones in both drawings and in every run. */
export async function loadQuickstart(): Promise<QuickstartData> {
  const emoji = await loadEmoji({ vendors: VENDORS });
  const order = shuffled(emoji.length, key(2022, 6));
  const heldOut = Math.round(0.2 * emoji.length);
  const test = order.slice(0, heldOut).sort();
  const train = order.slice(heldOut).sort();
  return {
    train: trainingSet(emoji, train),
    trainSubcategory: concat(VENDORS.map(() => Int32Array.from(train, (i) => emoji.sublabels[i]!))),
    test: { twitter: pick(emoji.pixels.twitter, test, BYTES), google: pick(emoji.pixels.google, test, BYTES) },
    names: Array.from(test, (i) => emoji.names[i]!),
    category: Int32Array.from(test, (i) => emoji.labels[i]!),
    subcategory: Int32Array.from(test, (i) => emoji.sublabels[i]!),
  };
}

function trainingSet(emoji: EmojiSet<(typeof VENDORS)[number]>, rows: Uint32Array): QuickstartData["train"] {
  const { prior } = emoji;
  const words = pick(prior.data, rows, prior.dim);
  const labels = Int32Array.from(rows, (i) => emoji.labels[i]!);
  return {
    name: "emoji",
    split: "train",
    length: rows.length * VENDORS.length,
    classes: emoji.classes,
    labels: concat(VENDORS.map(() => labels)),
    pixels: { data: concat(VENDORS.map((v) => pick(emoji.pixels[v], rows, BYTES))), height: 32, width: 32 },
    ...NORMALIZATION.cifar,
    resolution: 32,
    prior: { ...prior, data: concat(VENDORS.map(() => words)) },
    notes: [],
  };
}

function pick<A extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  data: A,
  rows: Uint32Array,
  width: number,
): A {
  const out = new (data.constructor as new (n: number) => A)(rows.length * width);
  rows.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

function concat<A extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
  parts: readonly A[],
): A {
  const out = new (parts[0]!.constructor as new (n: number) => A)(parts.reduce((n, p) => n + p.length, 0));
  parts.reduce((at, part) => (out.set(part, at), at + part.length), 0);
  return out;
}
