import type { Device } from "../../device/mod.ts";
import type { PackedImages } from "../augment/mod.ts";
import { ViewMaker, type ViewRecipes } from "./multi_crop_views.ts";
import type { FileDataset } from "../dataset.ts";
import { type DecodedImage, ImageDecoder, type UnreadableImage } from "../images/decode.ts";
import { copyInto, keep, Tensor, tensor, tidy } from "../../tensor/mod.ts";
import type { EpochPlan, SizedViews, ViewBatch, ViewSource } from "./view_source.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Maximum ratio of an image's side to a view's: the device reads every pixel that a view covers. */
const MOST_SHRINK = 16;

/** Options of {@linkcode StreamedImages}. */
export interface StreamedImagesOptions {
  /** Workers that decode; processors, at most 8, by default. */
  workers?: number;
  /** Bytes of decoded images that are kept for later epochs, of those that come first; 0 by default. */
  cacheBytes?: number;
  /** Callback for every unreadable file. */
  onUnreadable?: (image: UnreadableImage) => void;
  /** Bytes of pixels that are uploaded at once; 32 MiB by default. */
  chunkBytes?: number;
}

/** Times of a source so far, in milliseconds. */
export interface SourceTimes {
  /** Decoding, summed over the Workers and beside the training. */
  readonly decode: number;
  /** Waiting of the training for decoded images. */
  readonly wait: number;
  /** Packing of pixels and their upload to the device. */
  readonly upload: number;
}

/**
 * Images in files: Workers decode them ahead of the step, their bytes are uploaded in chunks of bounded size, and
 * crops, resizes and colours are made on the device. What is unreadable is left out of its batch; a picture whose side
 * is more than 16 times that of a view is made smaller while it is decoded.
 */
export class StreamedImages implements ViewSource {
  /** Images. */
  readonly length: number;
  /** Side of the views, px. */
  readonly size: number;
  /** Local views of a sample; absent where all views are of one size. */
  readonly local?: SizedViews;
  #device: Device;
  #decoder: ImageDecoder;
  #maker: ViewMaker;
  #chunk: Chunk;
  #tooLarge: (image: DecodedImage) => boolean;
  #times = { wait: 0, upload: 0 };

  /** Prepares to decode; Workers start with the first batch. */
  constructor(device: Device, dataset: FileDataset, recipe: ViewRecipes, options: StreamedImagesOptions = {}) {
    checkOptions("make StreamedImages", options, ["workers", "cacheBytes", "onUnreadable", "chunkBytes"]);
    const { workers, cacheBytes, onUnreadable, chunkBytes = 2 ** 25 } = options;
    this.length = dataset.length;
    this.#device = device;
    this.#maker = new ViewMaker(recipe);
    this.size = this.#maker.size;
    this.local = this.#maker.local;
    const spec = { ...dataset.files.decode, longSide: MOST_SHRINK * this.size };
    this.#decoder = new ImageDecoder(dataset, { workers, cacheBytes, onUnreadable, spec, maxBytes: 8 * chunkBytes });
    const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    this.#chunk = new Chunk(device, Math.min(chunkBytes, most));
    this.#tooLarge = refusal(dataset, most, onUnreadable);
  }

  /** Returns where the time went so far. */
  get times(): SourceTimes {
    return { decode: this.#decoder.milliseconds, ...this.#times };
  }

  /** The batches of an epoch; images are decoded ahead of them, in their order. */
  async *batches(plan: EpochPlan): AsyncGenerator<ViewBatch> {
    const { order, sizes } = plan;
    const wanted = order.subarray(0, sizes.reduce((sum, size) => sum + size, 0));
    const images = new Images(this.#decoder.decode(wanted), wanted, this.#times);
    let end = 0;
    try {
      for (const size of sizes) {
        end += size;
        using all = keep(new Tensor(this.#device, [size, ...this.#maker.shape(plan.views)]));
        const rows = await this.#fill(all, images, end, plan);
        if (rows.length === 0) {
          yield { rows, indices: null, views: null };
          continue;
        }
        using indices = keep(tensor(rows, { device: this.#device }));
        using views = firstRows(all, rows.length);
        yield { rows, indices, views };
      }
    } finally {
      await images.close();
    }
  }

  /** Frees what it holds and ends the Workers. */
  dispose(): void {
    this.#decoder[Symbol.dispose]();
    this.#chunk.dispose();
  }

  /** Frees the source, like `dispose()`; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Makes the views of the images before position `end`, chunk by chunk while later ones are decoded. */
  async #fill(views: Tensor, images: Images, end: number, plan: EpochPlan): Promise<Uint32Array<ArrayBuffer>> {
    const rows: number[] = [];
    for (let image = await images.next(end); image; image = await images.next(end)) {
      if (this.#tooLarge(image)) continue;
      const start = performance.now();
      if (!this.#chunk.fits(image)) this.#render(views, rows, plan);
      this.#chunk.add(image);
      rows.push(image.index);
      this.#times.upload += performance.now() - start;
    }
    const start = performance.now();
    this.#render(views, rows, plan);
    this.#times.upload += performance.now() - start;
    return Uint32Array.from(rows);
  }

  /** Augments what is in the chunk: the last of the rows so far. */
  #render(views: Tensor, rows: readonly number[], plan: EpochPlan): void {
    const { images } = this.#chunk;
    if (images === 0) return;
    const first = rows.length - images;
    tidy(() => {
      const part = this.#maker.make(this.#chunk.upload(), rows.slice(first), plan);
      copyInto(views, part, first * (views.size / views.shape[0]!));
    });
    this.#chunk.clear();
  }
}

/** Says whether an image is more than the adapter takes at once, and tells of each such file once. */
function refusal(
  { files: { paths } }: FileDataset,
  most: number,
  onUnreadable: (image: UnreadableImage) => void = () => {},
): (image: DecodedImage) => boolean {
  const told = new Set<number>();
  return ({ index, data, height, width }) => {
    if (data.length <= most) return false;
    const reason = `${width} x ${height} px take ${data.length} bytes, and the adapter binds at most ${most} at once`;
    if (!told.has(index)) onUnreadable({ index, path: paths[index]!, reason });
    told.add(index);
    return true;
  };
}

/** The first rows of a tensor, on the same storage, outside scopes. */
function firstRows(x: Tensor, rows: number): Tensor {
  return keep(new Tensor(x.device, [rows, ...x.shape.slice(1)], { storage: x.storage.retain() }));
}

/** Decoded images in order, one held back when it belongs to a later batch. */
class Images {
  #source: AsyncGenerator<DecodedImage>;
  #position = new Map<number, number>();
  #held: DecodedImage | null = null;
  #times: { wait: number };

  constructor(source: AsyncGenerator<DecodedImage>, order: Uint32Array, times: { wait: number }) {
    this.#source = source;
    order.forEach((row, i) => this.#position.set(row, i));
    this.#times = times;
  }

  /** The next image that stands before position `end`; null when there is none left. */
  async next(end: number): Promise<DecodedImage | null> {
    if (!this.#held) {
      const start = performance.now();
      const { value, done } = await this.#source.next();
      this.#times.wait += performance.now() - start;
      if (done) return null;
      this.#held = value;
    }
    if (this.#position.get(this.#held.index)! >= end) return null;
    const image = this.#held;
    this.#held = null;
    return image;
  }

  async close(): Promise<void> {
    await this.#source.return(undefined);
  }
}

/** Bytes of some images on their way to the device: the same host and device memory again and again. */
class Chunk {
  images = 0;
  #device: Device;
  #host: Uint8Array<ArrayBuffer>;
  #bytes: Tensor<"u8">;
  #used = 0;
  #table: number[] = [];
  #largest: [number, number] = [0, 0];

  constructor(device: Device, bytes: number) {
    this.#device = device;
    this.#host = new Uint8Array(bytes);
    this.#bytes = keep(new Tensor(device, [bytes], { dtype: "u8" }));
  }

  /** Whether an image has room beside those that are there; an empty chunk makes room for any. */
  fits({ data }: DecodedImage): boolean {
    return this.images === 0 || this.#used + data.length <= this.#host.length;
  }

  add({ data, height, width }: DecodedImage): void {
    if (data.length > this.#host.length) this.#grow(data.length);
    this.#host.set(data, this.#used);
    this.#table.push(this.#used, height, width);
    this.#used += data.length;
    this.#largest = [Math.max(this.#largest[0], height), Math.max(this.#largest[1], width)];
    this.images++;
  }

  upload(): PackedImages {
    this.#device.write(this.#bytes.storage, this.#host.subarray(0, this.#used));
    const table = tensor(Uint32Array.from(this.#table), { shape: [this.images, 3], device: this.#device });
    return { bytes: this.#bytes, table, channels: 3, largest: this.#largest };
  }

  clear(): void {
    this.images = this.#used = 0;
    this.#table = [];
    this.#largest = [0, 0];
  }

  dispose(): void {
    this.#bytes.dispose();
  }

  #grow(bytes: number): void {
    this.#bytes.dispose();
    this.#host = new Uint8Array(bytes);
    this.#bytes = keep(new Tensor(this.#device, [bytes], { dtype: "u8" }));
  }
}
