import type { EmojiSet } from "./emoji.ts";

/** One picture of a demo set. */
export interface DemoImage {
  /** Bytes `[32, 32, 3]`. */
  pixels: Uint8Array<ArrayBuffer>;
  /** Short name of the emoji, unique with the vendor. */
  name: string;
  vendor: "twitter" | "google";
  split: "train" | "test";
  /** Index into `classes`. */
  label: number;
  /** Index into `subclasses`. */
  sublabel: number;
  /** Attributes of the image, 0 or 1 for each of `words`. */
  attributes: Float32Array;
}

/** Pictures of a demo set and what their numbers mean. */
export interface DemoImages {
  images: DemoImage[];
  classes: string[];
  subclasses: string[];
  words: string[];
}

/** Number of attributes of an image: the commonest words, as the real sets have a few hundred. */
const WORDS = 64;

/** Picks emoji of all categories in turn, each drawn by two vendors; an emoji is in one part only. */
export function selectDemoImages(emoji: EmojiSet, counts: { train: number; test: number }): DemoImages {
  const words = commonestWords(emoji);
  const queues = emoji.classes.map((_, label) => {
    const members = [...emoji.names.keys()].filter((i) => emoji.labels[i] === label);
    return members.map((_, k) => members[k * 31 % members.length]!).filter(isFirst); // spread over the subcategories
  });
  const images: DemoImage[] = [];
  for (const split of ["test", "train"] as const) {
    const target = images.length + counts[split];
    for (let turn = 0; images.length < target; turn++) {
      const i = queues[turn % queues.length]!.shift();
      if (i === undefined) continue;
      for (const vendor of ["twitter", "google"] as const) {
        if (images.length < target) images.push(toImage(emoji, i, { vendor, split, words }));
      }
    }
  }
  return {
    images,
    classes: emoji.classes,
    subclasses: emoji.subclasses,
    words: words.map((column) => emoji.prior.columns?.[column] ?? ""),
  };
}

function isFirst(value: number, index: number, all: number[]): boolean {
  return all.indexOf(value) === index;
}

function commonestWords({ length, prior: { data, dim } }: EmojiSet): number[] {
  const counts = new Float64Array(dim);
  for (let i = 0; i < length * dim; i++) counts[i % dim] = counts[i % dim]! + data[i]!;
  return [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, WORDS);
}

function toImage(
  emoji: EmojiSet,
  i: number,
  { vendor, split, words }: { vendor: "twitter" | "google"; split: "train" | "test"; words: number[] },
): DemoImage {
  const bytes = emoji.height * emoji.width * 3;
  return {
    pixels: emoji.pixels[vendor].slice(i * bytes, (i + 1) * bytes),
    name: emoji.names[i]!,
    vendor,
    split,
    label: emoji.labels[i]!,
    sublabel: emoji.sublabels[i]!,
    attributes: Float32Array.from(words, (column) => emoji.prior.data[i * emoji.prior.dim + column]!),
  };
}
