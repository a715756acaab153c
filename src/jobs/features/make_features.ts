import {
  type DecodeSpec,
  type Features,
  type ImageDataset,
  ImageDecoder,
  type RgbImage,
  type UnreadableImage,
} from "../../data/mod.ts";
import { broadcastJson, type Communicator, gatherNumbers } from "../../distributed/mod.ts";
import { groupOf } from "../../distributed/internal.ts";
import { applySpec, toGray } from "../../data/internal.ts";
import { npyHeader, writeNpy, zipChunks, type ZipMember, type ZipStream } from "../../formats/internal.ts";
import { writeWhole } from "../../formats/mod.ts";
import { collectRows } from "../../eval/mod.ts";
import { checkRanks } from "../distributed_start.ts";
import type { ImageEncoder } from "../../encoders/mod.ts";
import { PartialRows } from "./partial_rows.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode makeFeatures}. */
export interface MakeFeaturesOptions {
  /** Images at once; 32 by default. */
  readonly batchSize?: number;
  /** Workers that decode. */
  readonly workers?: number;
  /** Callback after each batch. `resumed`: images that an earlier, stopped run had done. */
  readonly onProgress?: (progress: { done: number; total: number; resumed: number }) => void;
  /** Stops after the batch that is under way; what is done is kept for the next run. */
  readonly signal?: AbortSignal;
  /** The ranks, which share the images; rank 0 writes. This process alone by default. */
  readonly group?: Communicator;
}

/** Outcome of {@linkcode makeFeatures}. */
export interface MadeFeatures {
  /** Images that have features now. */
  readonly done: number;
  /** Features an image. */
  readonly dim: number;
  /** Whether all images have features, and the file is written. */
  readonly complete: boolean;
}

/**
 * Encodes all images of a data set and writes the features as a prior: an `.npz` with `prior` `[n, dim]`, `labels` and
 * `paths` (the order of the rows), for {@linkcode loadPrior}, `--prior` and NumPy.
 *
 * Rows go to `FILE.partial` as they come. A run that was stopped, at whatever moment, goes on from there. In memory are
 * a batch of images and what the Workers have decoded ahead, never all features. Several ranks take batches in turn:
 * the file is that of one process, and either goes on with what the other began.
 *
 * @param encoder What makes features of images.
 * @param dataset The images, in memory or in files.
 * @param file Where to, `.npz`.
 * @param options Batch size, Workers, progress, how to stop.
 * @returns How far it came.
 * @throws {SyntaxError} If an image cannot be read: a prior has a row for each image.
 * @throws {TypeError} If `FILE.partial` is of other images or another encoder, `file` does not end in `.npz`, or ranks
 *   have other images or encoders.
 * @throws {RangeError} If a feature is NaN or infinite, or `batchSize` is not a positive integer.
 *
 * @example An encoder of one's own
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset, loadPrior, takeFirst } from "@decoupled/uniformity/data";
 * import type { ImageEncoder } from "@decoupled/uniformity/encoders";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 *
 * const meanColour: ImageEncoder = {
 *   id: "mean colour",
 *   decode: {},
 *   prepare: ({ data }) => Float32Array.from(data),
 *   encode: (images) =>
 *     Promise.resolve({
 *       dim: 3,
 *       data: Float32Array.from(images.flatMap((pixels) =>
 *         [0, 1, 2].map((c) => pixels.reduce((sum, v, i) => i % 3 === c ? sum + v : sum, 0) / (pixels.length / 3))
 *       )),
 *     }),
 * };
 * const emoji = takeFirst(await emojiDataset(), 5);
 * const file = `${await Deno.makeTempDir()}/colours.npz`;
 *
 * await makeFeatures(meanColour, emoji, file);
 *
 * assertEquals((await loadPrior(file, emoji)).data.length, 15);
 * ```
 */
export async function makeFeatures(
  encoder: ImageEncoder,
  dataset: ImageDataset,
  file: string,
  options: MakeFeaturesOptions = {},
): Promise<MadeFeatures> {
  checkOptions("makeFeatures()", options, ["batchSize", "workers", "onProgress", "signal", "group"]);
  const batchSize = Math.min(options.batchSize ?? 32, encoder.maxBatch ?? Infinity);
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot make features as batchSize must be a positive integer: current value is ${batchSize}`);
  }
  if (!file.endsWith(".npz")) throw new TypeError(`Cannot make features as the file must end in .npz: got "${file}"`);
  const group = groupOf(options);
  await checkRanks(group, { batch_size: batchSize, encoder: encoder.id, out: file }, [dataset]);
  const partial = `${file}.partial`;
  const of = { encoder: encoder.id, images: await fingerprint(dataset), length: dataset.length };
  using rows = group.rank === 0 ? await PartialRows.open(partial, of) : null;
  await rows?.keepWholeBatches(batchSize);
  const made = await encodeRest(encoder, dataset, rows, { ...options, batchSize, group });
  if (made.complete && rows) {
    await writeWhole(file, zipChunks(membersOf(rows, dataset), { align: 64 }));
    await Deno.remove(partial);
  }
  return made;
}

/** Encodes the images that have no features yet, a batch for each rank at a time, until the signal. */
async function encodeRest(
  encoder: ImageEncoder,
  dataset: ImageDataset,
  rows: PartialRows | null,
  options: MakeFeaturesOptions & { batchSize: number; group: Communicator },
): Promise<MadeFeatures> {
  const { batchSize, group, signal, onProgress } = options;
  const { length } = dataset;
  const resumed = broadcastJson(group, rows?.count ?? 0);
  let done = resumed;
  let stopped = false;
  const tell = () => onProgress?.({ done, total: length, resumed });
  tell();
  const own = Array.from({ length: length - resumed }, (_, i) => resumed + i)
    .filter((row) => Math.floor((row - resumed) / batchSize) % group.size === group.rank);
  const images = imagesFrom(encoder, dataset, own, options);
  try {
    while (done < length && !stopped) {
      const count = Math.max(0, Math.min(batchSize, length - done - group.rank * batchSize));
      const all = await collectRows(group, { rows: [], features: await encodeNext(encoder, images, count) });
      if (all) await rows?.add(all.features.data, all.features.dim);
      done = Math.min(length, done + group.size * batchSize);
      tell();
      stopped = gatherNumbers(group, [signal?.aborted ? 1 : 0]).some(([asked]) => asked === 1);
    }
  } finally {
    await images.return(undefined);
  }
  return { done, dim: broadcastJson(group, rows?.dim ?? 0), complete: done === length };
}

/** Features of the next images. */
async function encodeNext(encoder: ImageEncoder, images: AsyncGenerator<RgbImage>, count: number): Promise<Features> {
  const batch: Float32Array<ArrayBuffer>[] = [];
  while (batch.length < count) {
    const { value, done } = await images.next();
    if (done) throw new Error(`Cannot make features as images are missing: got ${batch.length} of ${count}`);
    batch.push(encoder.prepare(value));
  }
  return count > 0 ? await encoder.encode(batch) : { data: new Float32Array(0), dim: 0 };
}

/** The arrays of the file, as {@linkcode savePrior} writes them; the rows come from the disk. */
function* membersOf(
  rows: PartialRows,
  { labels, classes, paths, length }: ImageDataset,
): Generator<ZipMember | ZipStream> {
  const header = npyHeader("f32", [length, rows.dim]);
  const chunks = async function* () {
    yield header;
    yield* rows.chunks();
  };
  yield { name: "prior.npy", size: header.length + 4 * length * rows.dim, chunks };
  if (labels instanceof Int32Array) {
    yield { name: "labels.npy", bytes: writeNpy({ shape: [length], dtype: "i32", data: labels }) };
  } else if (labels) {
    yield { name: "labels.npy", bytes: writeNpy({ shape: [length, classes.length], dtype: "f32", data: labels }) };
  }
  if (paths) yield { name: "paths.npy", bytes: writeNpy({ shape: [length], dtype: "string", data: paths }) };
}

/** The images of some rows, in order. */
async function* imagesFrom(
  encoder: ImageEncoder,
  dataset: ImageDataset,
  rows: readonly number[],
  { workers }: MakeFeaturesOptions,
): AsyncGenerator<RgbImage> {
  if (dataset.pixels) {
    const { data, height, width } = dataset.pixels;
    const size = height * width * 3;
    for (const row of rows) {
      const image = { data: data.slice(row * size, (row + 1) * size), height, width };
      yield decoded(image, encoder.decode);
    }
    return;
  }
  const onUnreadable = ({ path, reason }: UnreadableImage) => {
    throw new SyntaxError(`Cannot make features as every image must be readable: "${path}" is not (${reason})`);
  };
  using decoder = new ImageDecoder(dataset, { workers, spec: encoder.decode, onUnreadable });
  yield* decoder.decode(rows);
}

/** Applies to an image in memory what decoding does to one in a file. */
function decoded(image: RgbImage, spec: DecodeSpec): RgbImage {
  return applySpec(spec.grayscale ? toGray(image) : image, spec);
}

/** Name, split, and a checksum of the names of the images, or of their bytes where they have none. */
async function fingerprint({ name, split, paths, files, pixels }: ImageDataset): Promise<string> {
  const names = paths ?? files?.paths;
  const bytes = names ? new TextEncoder().encode(names.join("\n")) : pixels?.data ?? new Uint8Array();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `${name} ${split} ${Array.from(digest.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join("")}`;
}
