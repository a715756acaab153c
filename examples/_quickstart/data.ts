import {
  type EmojiSet,
  type EmojiVendor,
  loadEmoji,
  NORMALIZATION,
  type PixelDataset,
  type PriorRows,
} from "../../src/data/mod.ts";
import { key, shuffled } from "../../mod.ts";
import { checkBenchmark, checksumsOf } from "./checksums.ts";

/** The vendors whose drawings are learnt from and compared. */
export const VENDORS = ["twitter", "google"] as const;

/** Bytes of one image. */
const BYTES = 32 * 32 * 3;

/** Emoji that are looked at: the held-out ones, or, to choose a recipe, some of the others. */
export type Split = "test" | "validation";

/** Emoji to learn from, in both drawings, and emoji to look at. */
export interface QuickstartData {
  /** Training images: all drawings of the first vendor, then all of the second, and their words. */
  readonly train: PixelDataset & { prior: PriorRows; labels: Int32Array<ArrayBuffer> };
  /** Short name of each emoji that is learnt from: of image i and of image n + i. */
  readonly trainNames: readonly string[];
  /** Subcategory of each training image. */
  readonly trainSubcategory: Int32Array<ArrayBuffer>;
  /** Images of each vendor that were not learnt from `[n, 32, 32, 3]`; row i is the same emoji in both. */
  readonly test: Readonly<Record<(typeof VENDORS)[number], Uint8Array<ArrayBuffer>>>;
  /** Short name of each of these emoji. */
  readonly names: readonly string[];
  /** Category of each. */
  readonly category: Int32Array<ArrayBuffer>;
  /** Subcategory of each. */
  readonly subcategory: Int32Array<ArrayBuffer>;
  /** Words of each. */
  readonly words: PriorRows;
}

/** Rows of the emoji by what they are for. */
export interface EmojiSplit {
  /** 1,220 to learn from while a recipe is chosen. */
  readonly train: Uint32Array;
  /** 305 to choose a recipe by, and then to learn from. */
  readonly validation: Uint32Array;
  /** 381 that nothing is chosen by. */
  readonly test: Uint32Array;
}

/** Deals emoji out, the same ones in every run: a fifth for the test, a fifth of the others for validation. */
export function splitEmoji(length: number): EmojiSplit {
  const order = shuffled(length, key(2022, 6));
  const heldOut = Math.round(0.2 * length);
  const learnt = order.slice(heldOut).sort();
  const again = shuffled(learnt.length, key(2022, 7));
  const chosen = Math.round(0.2 * learnt.length);
  const rows = (places: Uint32Array) => places.map((place) => learnt[place]!).sort();
  return {
    train: rows(again.slice(chosen)),
    validation: rows(again.slice(0, chosen)),
    test: order.slice(0, heldOut).sort(),
  };
}

/**
 * Loads the emoji of the benchmark: for the test the other two parts are learnt from, for validation one.
 *
 * @throws {TypeError} If they are not the benchmark's (see {@linkcode checkBenchmark}).
 */
export async function loadQuickstart(on: Split = "test"): Promise<QuickstartData> {
  const emoji = await loadEmoji({ vendors: VENDORS });
  const split = splitEmoji(emoji.length);
  checkBenchmark(await checksumsOf(emoji, split));
  const { train, validation, test } = split;
  const learnt = on === "test" ? concat([train, validation]).sort() : train;
  const held = on === "test" ? test : validation;
  return {
    train: trainingSet(emoji, VENDORS, learnt),
    trainNames: Array.from(learnt, (i) => emoji.names[i]!),
    trainSubcategory: concat(VENDORS.map(() => Int32Array.from(learnt, (i) => emoji.sublabels[i]!))),
    test: { twitter: pick(emoji.pixels.twitter, held, BYTES), google: pick(emoji.pixels.google, held, BYTES) },
    names: Array.from(held, (i) => emoji.names[i]!),
    category: Int32Array.from(held, (i) => emoji.labels[i]!),
    subcategory: Int32Array.from(held, (i) => emoji.sublabels[i]!),
    words: { ...emoji.prior, data: pick(emoji.prior.data, held, emoji.prior.dim) },
  };
}

/** Makes a training set of rows of emoji: all drawings of the first vendor, then of the next. */
export function trainingSet<V extends EmojiVendor>(
  emoji: EmojiSet<V>,
  vendors: readonly V[],
  rows: Uint32Array,
): QuickstartData["train"] {
  const { prior } = emoji;
  const words = pick(prior.data, rows, prior.dim);
  const labels = Int32Array.from(rows, (i) => emoji.labels[i]!);
  return {
    name: "emoji",
    split: "train",
    length: rows.length * vendors.length,
    classes: emoji.classes,
    labels: concat(vendors.map(() => labels)),
    pixels: { data: concat(vendors.map((v) => pick(emoji.pixels[v], rows, BYTES))), height: 32, width: 32 },
    ...NORMALIZATION.cifar,
    resolution: 32,
    prior: { ...prior, data: concat(vendors.map(() => words)) },
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

type Numbers = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array;

function concat<A extends Numbers>(parts: readonly A[]): A {
  const out = new (parts[0]!.constructor as new (n: number) => A)(parts.reduce((n, p) => n + p.length, 0));
  parts.reduce((at, part) => (out.set(part, at), at + part.length), 0);
  return out;
}
