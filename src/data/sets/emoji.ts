import { importNpmJson, type NpmAsset, readNpmFile } from "../files/npm.ts";
import { decodePng, type RgbaImage } from "../images/png.ts";
import { type ClassLabels, NORMALIZATION, type PixelDataset, type PriorRows } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Vendor who drew the emoji. Two vendors' drawings of one emoji differ as two photographs of one bird do. */
export type EmojiVendor = "apple" | "facebook" | "google" | "twitter";

/** Result of {@linkcode loadEmoji}: `n` emoji, each drawn by every vendor asked for. */
export interface EmojiSet<V extends EmojiVendor = EmojiVendor> {
  /** Number of emoji, `n`. */
  length: number;
  /** Bytes `[n, 32, 32, 3]` of each vendor, RGB over white; row `i` is the same emoji in all of them. */
  pixels: Record<V, Uint8Array<ArrayBuffer>>;
  /** Height of an image: 32 px. */
  height: number;
  /** Width of an image: 32 px. */
  width: number;
  /** Short names, unique, such as `red_apple`. */
  names: string[];
  /** The emoji themselves. */
  characters: string[];
  /** Category of each emoji, an index into `classes`. */
  labels: Int32Array<ArrayBuffer>;
  /** The 9 categories, sorted by name. */
  classes: string[];
  /** Finer category of each emoji, an index into `subclasses`. */
  sublabels: Int32Array<ArrayBuffer>;
  /** The subcategories, sorted by name. */
  subclasses: string[];
  /**
   * Attributes `[n, words]`, 0 or 1: which words (the `columns`, sorted) describe the emoji. A weak attribute, as
   * CUB200's are.
   */
  prior: PriorRows;
}

/** Options of {@linkcode loadEmoji}. */
export interface LoadEmojiOptions<V extends EmojiVendor> {
  /** Vendors to load (default: `twitter` and `google`). */
  vendors?: readonly V[];
  /** Least number of emoji that have a word for it to be a column of `prior`; 5 by default. */
  minKeywordCount?: number;
}

interface Entry {
  name: string;
  character: string;
  category: string;
  subcategory: string;
  x: number;
  y: number;
  vendors: ReadonlySet<string>;
}

const VERSION = "16.0.0";
const KEYWORDS: NpmAsset = { spec: "emojilib@4.0.3", json: "dist/emoji-en-US.json" };
const SIZE = 32;
const CELL = 34; // A sheet is a grid of 32-px images with a border of 1 px.

/**
 * Loads small real images with classes and a prior, from npm: 1,906 emoji of 9 categories, described by 503 words.
 *
 * The images are the 32-px sheets of `emoji-datasource-*`, the words those of `emojilib`; both are fetched into Deno's
 * npm cache on first use (70 MB a vendor, the package holding more than is read). Skin-tone variants and the five bare
 * modifiers ("Component") are left out.
 *
 * @returns Pixels `[n, 32, 32, 3]` of each vendor, labels and prior.
 * @throws {Deno.errors.NotFound} If npm cannot be reached and the packages are not cached.
 * @throws {RangeError} If no vendor is asked for, or no word is common enough.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadEmoji } from "@decoupled/uniformity/data";
 *
 * const emoji = await loadEmoji({ vendors: ["twitter"] });
 *
 * assertEquals(emoji.length, 1906);
 * assertEquals(emoji.pixels.twitter.length, 1906 * 32 * 32 * 3);
 * assertEquals(emoji.prior.dim, 503);
 * ```
 */
export async function loadEmoji<V extends EmojiVendor = "google" | "twitter">(
  options: LoadEmojiOptions<V> = {},
): Promise<EmojiSet<V>> {
  checkOptions("loadEmoji()", options, ["vendors", "minKeywordCount"]);
  const vendors = options.vendors ?? (["twitter", "google"] as EmojiVendor[] as V[]);
  const minimum = options.minKeywordCount ?? 5;
  if (vendors.length === 0) throw new RangeError("Cannot load emoji as vendors is empty");
  const entries = await readEntries(vendors);
  const prior = await readKeywords(entries, minimum);
  const pixels = {} as Record<V, Uint8Array<ArrayBuffer>>;
  for (const vendor of vendors) pixels[vendor] = await cutSheet(vendor, entries);
  const category = indexNames(entries.map((entry) => entry.category));
  const subcategory = indexNames(entries.map((entry) => entry.subcategory));
  return {
    length: entries.length,
    pixels,
    height: SIZE,
    width: SIZE,
    names: entries.map((entry) => entry.name),
    characters: entries.map((entry) => entry.character),
    labels: category.labels,
    classes: category.names,
    sublabels: subcategory.labels,
    subclasses: subcategory.names,
    prior,
  };
}

/**
 * The emoji of one vendor as a data set: 1,906 images of 32 px, 9 classes, 503 words as the prior.
 *
 * @param options The vendor (default `twitter`), and what {@linkcode loadEmoji} takes.
 * @returns A data set in memory, with the short names as `paths`.
 * @throws {Deno.errors.NotFound} If npm cannot be reached and the packages are not cached.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset } from "@decoupled/uniformity/data";
 *
 * const emoji = await emojiDataset({ vendor: "google" });
 *
 * assertEquals(emoji.classes[0], "Activities");
 * assertEquals(emoji.pixels.data.length, 1906 * 32 * 32 * 3);
 * ```
 */
export async function emojiDataset(
  options: { vendor?: EmojiVendor; minKeywordCount?: number } = {},
): Promise<PixelDataset<ClassLabels>> {
  checkOptions("make emojiDataset()", options, ["vendor", "minKeywordCount"]);
  const { vendor = "twitter", minKeywordCount } = options;
  const emoji = await loadEmoji({ vendors: [vendor], minKeywordCount });
  return {
    name: `emoji-${vendor}`,
    split: "all",
    length: emoji.length,
    classes: emoji.classes,
    labels: emoji.labels,
    pixels: { data: emoji.pixels[vendor], height: emoji.height, width: emoji.width },
    paths: emoji.names,
    ...NORMALIZATION.cifar,
    resolution: SIZE,
    prior: emoji.prior,
    notes: [],
  };
}

function assetOf(vendor: EmojiVendor): NpmAsset {
  return { spec: `emoji-datasource-${vendor}@${VERSION}`, json: "emoji.json" };
}

/** The emoji that every vendor draws. All vendors' packages of one version hold the same table. */
async function readEntries(vendors: readonly EmojiVendor[]): Promise<Entry[]> {
  const table = await importNpmJson(assetOf(vendors[0]!)) as Record<string, unknown>[];
  return table.map(toEntry).filter((entry) =>
    entry.category !== "Component" && vendors.every((vendor) => entry.vendors.has(vendor))
  );
}

function toEntry(row: Record<string, unknown>): Entry {
  const codes = String(row.unified).split("-").map((code) => parseInt(code, 16));
  const vendors = ["apple", "facebook", "google", "twitter"].filter((vendor) => row[`has_img_${vendor}`] === true);
  return {
    name: String(row.short_name),
    character: String.fromCodePoint(...codes),
    category: String(row.category),
    subcategory: String(row.subcategory),
    x: Number(row.sheet_x),
    y: Number(row.sheet_y),
    vendors: new Set(vendors),
  };
}

async function readKeywords(entries: Entry[], minimum: number): Promise<PriorRows> {
  const table = await importNpmJson(KEYWORDS) as Record<string, string[]>;
  const byCharacter = new Map(Object.entries(table).map(([character, words]) => [withoutSelector(character), words]));
  const words = entries.map((entry) => new Set(byCharacter.get(withoutSelector(entry.character))));
  const counts = new Map<string, number>();
  for (const word of words.flatMap((set) => [...set])) counts.set(word, (counts.get(word) ?? 0) + 1);
  const keywords = [...counts.keys()].filter((word) => counts.get(word)! >= minimum).sort();
  if (keywords.length === 0) {
    throw new RangeError(`Cannot load emoji as minKeywordCount leaves no word: current value is ${minimum}`);
  }
  const dim = keywords.length;
  const data = new Float32Array(entries.length * dim);
  words.forEach((set, i) => keywords.forEach((word, column) => data[i * dim + column] = set.has(word) ? 1 : 0));
  return { data, dim, columns: keywords };
}

/** U+FE0F asks for a picture instead of a glyph; the two packages do not agree on writing it. */
function withoutSelector(character: string): string {
  return character.replaceAll("\uFE0F", "");
}

async function cutSheet(vendor: EmojiVendor, entries: Entry[]): Promise<Uint8Array<ArrayBuffer>> {
  const path = `img/${vendor}/sheets/${SIZE}.png`;
  const sheet = await decodePng(await readNpmFile(assetOf(vendor), path), path);
  const out = new Uint8Array(entries.length * SIZE * SIZE * 3);
  entries.forEach((entry, i) => copyCell(sheet, entry, out.subarray(i * SIZE * SIZE * 3, (i + 1) * SIZE * SIZE * 3)));
  return out;
}

function copyCell(sheet: RgbaImage, { x, y }: Entry, out: Uint8Array): void {
  for (let row = 0; row < SIZE; row++) {
    let from = 4 * ((y * CELL + 1 + row) * sheet.width + x * CELL + 1);
    for (let to = row * SIZE * 3; to < (row + 1) * SIZE * 3; to += 3, from += 4) {
      const alpha = sheet.data[from + 3]!;
      for (let c = 0; c < 3; c++) out[to + c] = Math.round((sheet.data[from + c]! * alpha + 255 * (255 - alpha)) / 255);
    }
  }
}

function indexNames(values: string[]): { names: string[]; labels: Int32Array<ArrayBuffer> } {
  const names = [...new Set(values)].sort();
  const index = new Map(names.map((name, i) => [name, i]));
  return { names, labels: Int32Array.from(values, (value) => index.get(value)!) };
}
