import { key, shuffled } from "@decoupled/uniformity";
import { cutOut } from "./paper.ts";
import { ACROSS, SIDE, spriteAt } from "./types.ts";

/** Bytes of an image. */
const BYTES = SIDE * SIDE * 3;

/** Content of `emoji.json`; `emoji.bin.gz` holds the pixels of the first vendor, then those of the second. */
export interface EmojiTable {
  /** Short name of each emoji. */
  readonly names: readonly string[];
  /** Category of each emoji. */
  readonly labels: readonly number[];
  /** Words of each emoji. */
  readonly words: readonly (readonly number[])[];
  /** Number of words. */
  readonly dim: number;
}

/** Emoji to learn from and emoji to test on; the two drawings of an emoji are two samples. */
export interface EmojiData {
  /** Bytes `[2 * train, 32, 32, 3]`: all drawings of one vendor, then all of the other. */
  readonly train: Uint8Array<ArrayBuffer>;
  /** Words of each emoji to learn from, `[train, dim]`. */
  readonly words: Float32Array<ArrayBuffer>;
  /** Number of words. */
  readonly dim: number;
  /** Some rows of `words` in the order of their categories, for the heat map. */
  readonly sorted: readonly number[];
  /** Held-out drawings by each vendor. */
  readonly test: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  /** Names of the held-out emoji. */
  readonly names: readonly string[];
}

/** Fetches the emoji and holds a fifth of them out, the same ones as the quickstart where all are taken. */
export async function loadEmoji(base: string, count: number): Promise<EmojiData> {
  const [json, packed] = await Promise.all(["emoji.json", "emoji.bin.gz"].map((name) => fetched(new URL(name, base))));
  const table: EmojiTable = await json!.json();
  const stream = packed!.body!.pipeThrough(new DecompressionStream("gzip"));
  const pixels = new Uint8Array(await new Response(stream).arrayBuffer());
  const all = table.names.length;
  const order = shuffled(all, key(2022, 6)).slice(0, Math.min(all, count));
  const held = Math.round(0.2 * order.length);
  const [test, train] = [order.slice(0, held).sort(), order.slice(held).sort()];
  const vendor = (rows: Uint32Array, v: number) => {
    const out = new Uint8Array(rows.length * BYTES);
    rows.forEach((row, i) => out.set(pixels.subarray((v * all + row) * BYTES, (v * all + row + 1) * BYTES), i * BYTES));
    return out;
  };
  const both = new Uint8Array(2 * train.length * BYTES);
  both.set(vendor(train, 0));
  both.set(vendor(train, 1), train.length * BYTES);
  const words = new Float32Array(train.length * table.dim);
  train.forEach((row, i) => table.words[row]!.forEach((word) => words[i * table.dim + word] = 1));
  const sorted = [...train.keys()].sort((a, b) => table.labels[train[a]!]! - table.labels[train[b]!]!);
  const names = Array.from(test, (row) => table.names[row]!.replaceAll("_", " "));
  return { train: both, words, dim: table.dim, sorted, test: [vendor(test, 0), vendor(test, 1)], names };
}

async function fetched(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot load ${url.pathname}: the server answers ${response.status}`);
  return response;
}

/** Words of both drawings, of which a share went to the wrong emoji, `[2 * train, dim]`. */
export function wordsOf({ words, dim }: EmojiData, share: number): Float32Array<ArrayBuffer> {
  const count = words.length / dim;
  const mixed = shuffled(count, key(7)).slice(0, Math.round(share * count));
  const source = Uint32Array.from({ length: count }, (_, i) => i);
  mixed.forEach((row, i) => source[row] = mixed[(i + 1) % mixed.length]!);
  const out = new Float32Array(2 * words.length);
  source.forEach((row, i) => out.set(words.subarray(row * dim, (row + 1) * dim), i * dim));
  out.copyWithin(words.length, 0, words.length);
  return out;
}

/** The held-out drawings of both vendors in one picture, without their paper: see {@linkcode spriteAt}. */
export async function spritesOf({ test }: EmojiData): Promise<ImageBitmap> {
  const count = test[0].length / BYTES;
  const canvas = new OffscreenCanvas(2 * SIDE * ACROSS, SIDE * Math.ceil(count / ACROSS));
  const context = canvas.getContext("2d")!;
  for (const vendor of [0, 1] as const) {
    for (let i = 0; i < count; i++) {
      const drawing = new ImageData(SIDE, SIDE);
      for (let p = 0; p < SIDE * SIDE; p++) {
        for (let c = 0; c < 3; c++) drawing.data[4 * p + c] = test[vendor][i * BYTES + 3 * p + c]!;
        drawing.data[4 * p + 3] = 255;
      }
      cutOut(drawing.data, SIDE);
      const { x, y } = spriteAt(i, vendor);
      context.putImageData(drawing, x, y);
    }
  }
  return await createImageBitmap(canvas);
}
