import { takeRows } from "./take_rows.ts";

/** Three numbers, one a colour channel (red, green, blue). */
export type Channels = readonly [number, number, number];

/** Images of one size, decoded and in memory. */
export interface PixelStore {
  /** Bytes `[n, height, width, 3]`, RGB. */
  data: Uint8Array<ArrayBuffer>;
  /** Height of every image, px. */
  height: number;
  /** Width of every image, px. */
  width: number;
}

/** Changes to an image when its file is read. Without any, an image keeps its own size. */
export interface DecodeSpec {
  /** Turn colours into luma (ITU-R 601, as Pillow's mode `L`) and repeat it in the three channels. */
  grayscale?: boolean;
  /**
   * New size: `{ height, width }` squashes to that size; `{ shortSide }` keeps the aspect ratio, as torchvision's
   * `Resize(number)`. Bilinear with antialiasing, as Pillow's.
   */
  resize?: { height: number; width: number } | { shortSide: number };
  /** Filter of `resize`, widened where the image shrinks, as Pillow's; `"bilinear"` by default. */
  interpolation?: "bilinear" | "bicubic";
  /**
   * Side of the square that is then cut out of the middle, px, as torchvision's `CenterCrop` (padded with black when
   * smaller).
   */
  centerCrop?: number;
  /** Pixels that an image may claim, else it is unreadable (default 178,956,970, where Pillow sees a bomb). */
  maxPixels?: number;
  /**
   * Pixels from which on an image is made smaller while it is decoded, to about this many (default 2²⁴ = 16,777,216: a photo
   * of 48 megapixels becomes one of 16), so that memory and the device's bindings are enough for any file.
   */
  shrinkAbove?: number;
  /** Longest side of decoded images, px: larger ones are made smaller while they are decoded; no limit by default. */
  longSide?: number;
}

/** Images in files, read when they are needed. */
export interface FileStore {
  /** Path of every image, as it can be opened. */
  paths: string[];
  /** Decoding for training: without any change of size, since augmentation crops. */
  decode: DecodeSpec;
  /** Decoding for evaluation: all of one size. */
  evaluation: DecodeSpec;
}

/** A prior: one row of auxiliary features or attributes for every image. */
export interface PriorRows {
  /** Values `[n, dim]`, row-major. */
  data: Float32Array<ArrayBuffer>;
  /** Columns. */
  dim: number;
  /** Names of the columns, where the source has any. */
  columns?: string[];
}

/** The class of each image, `[n]`. */
export type ClassLabels = Int32Array<ArrayBuffer>;

/** Several labels for each image, `[n, classes]`: 0, 1, or NaN where it is not known. */
export type MultiLabels = Float32Array<ArrayBuffer>;

/** Labels of a data set; `null` when it has none. */
export type Labels = ClassLabels | MultiLabels | null;

/** Fields that every data set has. */
export interface DatasetBase<L extends Labels = Labels> {
  /** Name of the data set, such as `cifar10`. */
  name: string;
  /** Part of the data set: `train`, `test`, `valid`… */
  split: string;
  /** Number of images, `n`. */
  length: number;
  /** Names of the classes; of the columns of `labels` when several labels hold for one image; empty without labels. */
  classes: string[];
  /**
   * Labels. `Int32Array [n]`: the class of each image; `Float32Array [n, classes]`: several labels for each; `null`:
   * none.
   */
  labels: L;
  /** Name of each image, relative and with `/`, for joining attributes and priors; absent where the source has none. */
  paths?: string[];
  /** Mean of each channel, in units of the full range 0 to 1. */
  mean: Channels;
  /** Standard deviation of each channel, in units of the full range 0 to 1. */
  std: Channels;
  /** Side of the crops that training takes, px. */
  resolution: number;
  /** Rows of auxiliary information, where they were loaded. */
  prior?: PriorRows;
  /** Notes about the files that were read, for people, such as a count that differs from the published one. */
  notes: string[];
}

/** A data set whose images are in memory. */
export interface PixelDataset<L extends Labels = Labels> extends DatasetBase<L> {
  /** The images. */
  pixels: PixelStore;
  /** Absent, as the images are in memory. */
  files?: undefined;
}

/** A data set whose images are in files. */
export interface FileDataset<L extends Labels = Labels> extends DatasetBase<L> {
  /** Absent, as the images are in files. */
  pixels?: undefined;
  /** The images. */
  files: FileStore;
}

/** Images with labels, in memory or in files: `if (dataset.pixels)` tells which. */
export type ImageDataset<L extends Labels = Labels> = PixelDataset<L> | FileDataset<L>;

/** Mean and standard deviation that the original normalises each data set with. */
export const NORMALIZATION = {
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  cub200: { mean: [0.4863, 0.4999, 0.4312], std: [0.207, 0.2018, 0.2428] },
  cifar: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  utzappos: { mean: [0.8342, 0.8142, 0.8081], std: [0.2804, 0.3014, 0.3072] },
  chexpert: { mean: [0.5024, 0.5024, 0.5024], std: [0.2898, 0.2898, 0.2898] },
} as const satisfies Record<string, { mean: Channels; std: Channels }>;

/**
 * Picks images of a data set: their pixels or files, labels, paths and prior, in the order given.
 *
 * @param dataset The data set; it is left as it is.
 * @param indices Which images, each from 0 to `dataset.length - 1`. An image may be picked more than once.
 * @returns A data set of the same kind with `indices.length` images.
 * @throws {RangeError} If an index is not that of an image.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type PixelDataset, subset } from "@decoupled/uniformity/data";
 *
 * const dataset: PixelDataset = {
 *   name: "dots",
 *   split: "train",
 *   length: 3,
 *   classes: ["dark", "light"],
 *   labels: Int32Array.of(0, 1, 1),
 *   pixels: { data: Uint8Array.of(1, 1, 1, 8, 8, 8, 9, 9, 9), height: 1, width: 1 },
 *   mean: [0.5, 0.5, 0.5],
 *   std: [0.5, 0.5, 0.5],
 *   resolution: 1,
 *   notes: [],
 * };
 *
 * const picked = subset(dataset, [2, 0]);
 *
 * assertEquals(picked.labels, Int32Array.of(1, 0));
 * assertEquals(picked.pixels.data, Uint8Array.of(9, 9, 9, 1, 1, 1));
 * ```
 */
export function subset<D extends ImageDataset>(dataset: D, indices: ArrayLike<number>): D {
  const rows = Array.from(indices);
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= dataset.length) {
      throw new RangeError(
        `Cannot pick images of "${dataset.name}" as an index must be an integer from 0 to ${
          dataset.length - 1
        }: got ${row}`,
      );
    }
  }
  const { labels, paths, prior, pixels, files } = dataset;
  return {
    ...dataset,
    length: rows.length,
    labels: labels && takeRows(labels, labels instanceof Int32Array ? 1 : dataset.classes.length, rows),
    ...(paths ? { paths: rows.map((row) => paths[row]!) } : {}),
    ...(prior ? { prior: { ...prior, data: takeRows(prior.data, prior.dim, rows) } } : {}),
    ...(pixels ? { pixels: { ...pixels, data: takeRows(pixels.data, pixels.height * pixels.width * 3, rows) } } : {}),
    ...(files ? { files: { ...files, paths: rows.map((row) => files.paths[row]!) } } : {}),
  };
}

/**
 * The first images of a data set, for trying things.
 *
 * @param dataset The data set; it is left as it is.
 * @param count How many, at least 1; all of them when there are fewer.
 * @throws {RangeError} If `count` is not a positive integer.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset, takeFirst } from "@decoupled/uniformity/data";
 *
 * const emoji = await emojiDataset({ vendor: "twitter" });
 *
 * assertEquals(takeFirst(emoji, 100).length, 100);
 * ```
 */
export function takeFirst<D extends ImageDataset>(dataset: D, count: number): D {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot take the first images as count must be a positive integer: current value is ${count}`);
  }
  if (count >= dataset.length) return dataset;
  return subset(dataset, Array.from({ length: count }, (_, i) => i));
}

/**
 * Takes some images of a data set in which each class has its share, and at least one image: for trying things where an
 * evaluation needs all classes. The same ones every time, evenly spread over the images of a class, in their order.
 *
 * @param dataset The data set; it is left as it is. Without one class for each image, the images are spread over all.
 * @param count How many; all of them when there are fewer.
 * @throws {RangeError} If `count` is not a positive integer, or below the number of classes that have images.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset, takeStratified } from "@decoupled/uniformity/data";
 *
 * const some = takeStratified(await emojiDataset({ vendor: "twitter" }), 90);
 *
 * assertEquals(some.length, 90);
 * assertEquals(new Set(some.labels).size, some.classes.length);
 * ```
 */
export function takeStratified<D extends ImageDataset>(dataset: D, count: number): D {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot take some images as count must be a positive integer: current value is ${count}`);
  }
  const { length, labels } = dataset;
  if (count >= length) return dataset;
  const classOf = labels instanceof Int32Array ? (row: number) => labels[row]! : () => 0;
  const groups = [...Map.groupBy(Array.from({ length }, (_, row) => row), classOf).values()];
  if (count < groups.length) {
    throw new RangeError(
      `Cannot take ${count} images of "${dataset.name}" (${dataset.split}) as each class must keep one: got ` +
        `${groups.length} classes`,
    );
  }
  const shares = quotas(groups.map((each) => each.length), count);
  const rows = groups.flatMap((group, i) => {
    const many = shares[i]!;
    return Array.from({ length: many }, (_, k) => group[Math.floor(k * group.length / many)]!);
  });
  return subset(dataset, rows.sort((a, b) => a - b));
}

/** Shares of `count` in proportion to sizes, none below 1: what is left goes to those that are furthest below their share. */
function quotas(sizes: number[], count: number): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shares = sizes.map((size) => count * size / total);
  const quotas = shares.map((share) => Math.max(1, Math.floor(share)));
  const lack = (i: number) => shares[i]! - quotas[i]!;
  for (let sum = quotas.reduce((a, b) => a + b, 0); sum !== count; sum += sum < count ? 1 : -1) {
    const step = sum < count ? 1 : -1;
    const able = quotas.flatMap((quota, i) => step === 1 || quota > 1 ? [i] : []);
    const next = able.reduce((best, i) => step * lack(i) > step * lack(best) ? i : best);
    quotas[next]! += step;
  }
  return quotas;
}
