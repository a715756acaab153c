import type { DecodeSpec, FileDataset, Labels, PixelDataset } from "../dataset.ts";
import { subset } from "../dataset.ts";
import { ImageCache } from "./_image_cache.ts";
import type { RgbImage } from "./rgb_image.ts";
import { type ImageResult, WorkerPool } from "./worker_pool.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** An image of a data set, decoded. */
export interface DecodedImage extends RgbImage {
  /** Index of the image in the data set, `0` to `length - 1`. */
  index: number;
}

/** A file that could not be read. */
export interface UnreadableImage {
  /** Index of the image in the data set. */
  index: number;
  /** Path of the file. */
  path: string;
  /** Reason why it cannot be read. */
  reason: string;
}

/** Options of {@linkcode ImageDecoder}. */
export interface DecoderOptions {
  /** Workers that decode at the same time (default: processors, at most 8). */
  workers?: number;
  /** Images that may be decoded ahead of the reader (default: 4 a worker). */
  ahead?: number;
  /** Bytes of decoded images that may wait for the reader; no further image is begun beyond (default 512 MiB). */
  maxBytes?: number;
  /**
   * Bytes of decoded images that are kept for later passes (default 0): of those that come first. Whoever takes an image
   * must then leave its bytes as they are.
   */
  cacheBytes?: number;
  /** Part of the data set's files that may be unreadable (default 0.01); two files always may. */
  maxUnreadable?: number;
  /** Callback for every unreadable file. */
  onUnreadable?: (image: UnreadableImage) => void;
  /** Decoding of the images, in place of the data set's own `files.decode`. */
  spec?: DecodeSpec;
}

/** Returns the number of Workers where none is given: one a processor, at most 8. */
export function defaultWorkers(): number {
  return Math.min(navigator.hardwareConcurrency, 8);
}

const ALWAYS_FORGIVEN = 2;

/** Keeps the bytes of decoded images that wait below a bound; an image under way counts as the largest one seen. */
class Budget {
  #held = 0;
  #running = 0;
  #largest = 0;

  constructor(readonly maxBytes: number, readonly workers: number) {}

  allowsAnother(): boolean {
    if (this.#running === 0 && this.#held === 0) return true;
    if (this.#largest === 0) return this.#running < this.workers;
    return this.#held + (this.#running + 1) * this.#largest <= this.maxBytes;
  }

  watch(result: Promise<ImageResult>): void {
    this.#running++;
    result.then((decoded) => {
      this.#running--;
      if ("image" in decoded) this.#held += decoded.image.data.length;
      if ("image" in decoded) this.#largest = Math.max(this.#largest, decoded.image.data.length);
    }, () => {});
  }

  release(image: RgbImage): void {
    this.#held -= image.data.length;
  }
}

const DECODER = ["workers", "ahead", "maxBytes", "cacheBytes", "maxUnreadable", "onUnreadable", "spec"] as const;

/**
 * Decodes the files of a data set in Workers, ahead of whoever takes the images, in the order asked for.
 *
 * The Workers stay for as many passes as are asked for; `using` (or `[Symbol.dispose]()`) ends them. What waits for the
 * reader is bounded in number and in bytes: a slow reader stops the Workers. Unreadable files are left out, told to
 * `onUnreadable` and counted; when more than 1 % of the data set's files (and more than two) turn out to be unreadable,
 * decoding stops with an error.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { ImageDecoder, loadCub200 } from "@decoupled/uniformity/data";
 *
 * const dataset = await loadCub200("./data/cub200");
 * using decoder = new ImageDecoder(dataset, { workers: 4 });
 * for await (const { index, data, height, width } of decoder.decode([5, 3, 8])) {
 *   console.log(index, height, width, data.length); // 5 first, then 3, then 8
 * }
 * ```
 */
export class ImageDecoder {
  #dataset: FileDataset;
  #options: DecoderOptions;
  #pool: WorkerPool;
  #workers: number;
  #ahead: number;
  #cache: ImageCache;
  #unreadable = new Map<number, UnreadableImage>();

  /**
   * Starts the Workers.
   *
   * @param dataset A data set with files.
   * @param options How many Workers, how far ahead, and what to do about unreadable files.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(dataset: FileDataset, options: DecoderOptions = {}) {
    checkOptions("make ImageDecoder", options, DECODER);
    const workers = options.workers ?? defaultWorkers();
    this.#ahead = options.ahead ?? 4 * workers;
    for (const [name, value] of Object.entries({ workers, ahead: this.#ahead })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`Cannot decode images as ${name} must be a positive integer: current value is ${value}`);
      }
    }
    const { cacheBytes = 0 } = options;
    if (!(cacheBytes >= 0)) {
      throw new RangeError(`Cannot decode images as cacheBytes must be >= 0: current value is ${cacheBytes}`);
    }
    this.#cache = new ImageCache(cacheBytes);
    this.#dataset = dataset;
    this.#options = options;
    this.#workers = workers;
    this.#pool = new WorkerPool(workers);
  }

  /** Time that the Workers spent on images so far, in milliseconds, summed over the Workers. */
  get milliseconds(): number {
    return this.#pool.milliseconds;
  }

  /** The files that were found to be unreadable so far. */
  get unreadable(): UnreadableImage[] {
    return [...this.#unreadable.values()];
  }

  /**
   * Decodes images in the order given; unreadable ones are left out.
   *
   * @param order Which images of the data set (default: all of them). It is read only as far as images are decoded.
   * @throws {RangeError} If an index is not that of an image.
   * @throws {SyntaxError} If too many files are unreadable.
   * @throws {Deno.errors.NotFound} If the decoding library can neither be found nor fetched.
   */
  async *decode(order: Iterable<number> = this.#dataset.files.paths.keys()): AsyncGenerator<DecodedImage> {
    const indices = order[Symbol.iterator]();
    const waiting: { index: number; result: Promise<ImageResult> }[] = [];
    const budget = new Budget(this.#options.maxBytes ?? 2 ** 29, this.#workers);
    const spec = this.#options.spec ?? this.#dataset.files.decode;
    let more = true;
    while (true) {
      while (more && waiting.length < this.#ahead && budget.allowsAnother()) {
        const { value: index, done } = indices.next();
        more = !done;
        if (done) break;
        const result = this.#decode(index, spec);
        budget.watch(result);
        waiting.push({ index, result });
      }
      const next = waiting.shift();
      if (!next) return;
      const decoded = await next.result;
      if ("image" in decoded) {
        budget.release(decoded.image);
        this.#cache.offer(next.index, decoded.image);
        yield { index: next.index, ...decoded.image };
      } else if ("unreadable" in decoded) this.#report(next.index, decoded.unreadable);
    }
  }

  /** Ends the Workers. Whoever is reading gets an error. */
  [Symbol.dispose](): void {
    this.#pool.close();
  }

  #decode(index: number, spec: DecodeSpec): Promise<ImageResult> {
    const image = this.#cache.get(index);
    return image ? Promise.resolve({ image }) : this.#pool.run({ kind: "decode", path: this.#path(index), spec });
  }

  #path(index: number): string {
    const path = this.#dataset.files.paths[index];
    if (path === undefined) {
      throw new RangeError(
        `Cannot decode an image of "${this.#dataset.name}" as its index must be an integer from 0 to ` +
          `${this.#dataset.length - 1}: got ${index}`,
      );
    }
    return path;
  }

  #report(index: number, reason: string): void {
    if (this.#unreadable.has(index)) return; // known from an earlier pass
    const image = { index, path: this.#path(index), reason };
    this.#unreadable.set(index, image);
    this.#options.onUnreadable?.(image);
    const part = this.#options.maxUnreadable ?? 0.01;
    if (this.#unreadable.size <= Math.max(ALWAYS_FORGIVEN, part * this.#dataset.length)) return;
    const some = this.unreadable.slice(0, 3).map(({ path, reason }) => `"${path}" (${reason})`).join(", ");
    throw new SyntaxError(
      `Cannot go on with "${this.#dataset.name}" as at most ${
        100 * part
      } % of its ${this.#dataset.length} images may be ` +
        `unreadable: found ${this.#unreadable.size} so far, among them ${some}`,
    );
  }
}

/**
 * Decodes the files of a data set once, in the order given: {@linkcode ImageDecoder} for a single pass.
 *
 * @param dataset A data set with files.
 * @param options As for {@linkcode ImageDecoder}, and `order`: which images (default: all).
 * @example Usage
 * ```ts no-assert ignore
 * import { decodeAhead, loadFolder } from "@decoupled/uniformity/data";
 *
 * for await (const image of decodeAhead(await loadFolder("./photos"), { workers: 2 })) {
 *   console.log(image.index, image.height, image.width);
 * }
 * ```
 */
export async function* decodeAhead(
  dataset: FileDataset,
  options: DecoderOptions & { order?: Iterable<number> } = {},
): AsyncGenerator<DecodedImage> {
  checkOptions("decodeAhead()", options, [...DECODER, "order"]);
  const { order, ...rest } = options;
  using decoder = new ImageDecoder(dataset, rest);
  yield* decoder.decode(order);
}

/**
 * Decodes all files of a data set to one size and keeps them in memory, as is right for small images: 35,017 shoes of
 * 32 px are 108 MB.
 *
 * @param dataset A data set with files.
 * @param options As for {@linkcode ImageDecoder}; `height` and `width`: what every image is squashed to, px (bilinear with
 *   antialiasing); `onProgress` is called with the number of images that are done.
 * @returns The data set with `pixels`; unreadable images are left out, with a note for each.
 * @throws {SyntaxError} If too many files are unreadable.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadUtZappos, preload } from "@decoupled/uniformity/data";
 *
 * const shoes = await preload(await loadUtZappos("./data/utzappos"), { height: 32, width: 32 });
 * console.log(shoes.pixels.data.length);
 * ```
 */
export async function preload<L extends Labels>(
  dataset: FileDataset<L>,
  options: DecoderOptions & { height: number; width: number; onProgress?: (done: number) => void },
): Promise<PixelDataset<L>> {
  checkOptions("preload()", options, [...DECODER, "height", "width", "onProgress"]);
  const { height, width, onProgress, ...decoding } = options;
  const spec = { ...dataset.files.decode, resize: { height, width }, centerCrop: undefined };
  const data = new Uint8Array(dataset.length * height * width * 3);
  const kept: number[] = [];
  using decoder = new ImageDecoder(dataset, { ...decoding, spec });
  for await (const image of decoder.decode()) {
    data.set(image.data, image.index * height * width * 3);
    kept.push(image.index);
    onProgress?.(kept.length);
  }
  const notes = decoder.unreadable.map(({ path, reason }) => `"${path}" is left out: ${reason}`);
  const { files: _, ...rest } = dataset;
  const all: PixelDataset<L> = { ...rest, pixels: { data, height, width }, notes: [...dataset.notes, ...notes] };
  return kept.length === dataset.length ? all : subset(all, kept);
}
