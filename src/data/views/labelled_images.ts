import type { Device } from "../../device/mod.ts";
import { augment, evalTransform } from "../augment/mod.ts";
import type { FileDataset, ImageDataset } from "../dataset.ts";
import { ImageDecoder } from "../images/decode.ts";
import { squeeze } from "../../ops/mod.ts";
import { arange, keep, type Tensor, tensor, tidy } from "../../tensor/mod.ts";
import { key, shuffled } from "../../tensor/mod.ts";
import { rowsAtOnce } from "./fitting.ts";
import { takeRows } from "../take_rows.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Batch of images of a data set, as evaluation wants them. */
export interface EvaluationBatch {
  /** Rows of the data set; images that cannot be read are left out. */
  readonly rows: readonly number[];
  /** Normalised images `[n, h, w, 3]`; freed when the next batch is asked for. */
  readonly images: Tensor;
}

/** Options of {@linkcode evaluationBatches}. */
export interface EvaluationOptions {
  /** Indices of the images; all by default. */
  rows?: readonly number[];
  /** Images of a batch, fewer where some cannot be read; 256 by default. */
  batchSize?: number;
  /** Side of the images, px; the data set's own by default. */
  resolution?: number;
  /** Workers that decode. */
  workers?: number;
}

/** Images that are encoded at once where no number is given. */
export const EVALUATION_BATCH = 256;

/**
 * The images of a data set in order, resized and cut for evaluation, not augmented, normalised on the device; fewer at
 * once where an adapter does not bind them.
 */
export async function* evaluationBatches(
  device: Device,
  dataset: ImageDataset,
  options: EvaluationOptions = {},
): AsyncGenerator<EvaluationBatch> {
  checkOptions("evaluationBatches()", options, ["rows", "batchSize", "resolution", "workers"]);
  const { resolution = dataset.resolution } = options;
  const batchSize = Math.min(options.batchSize ?? EVALUATION_BATCH, rowsAtOnce(device, resolution * resolution * 3));
  const rows = options.rows ?? Array.from({ length: dataset.length }, (_, i) => i);
  const { mean, std } = dataset;
  const size = dataset.pixels
    ? [dataset.pixels.height, dataset.pixels.width] as const
    : [resolution, resolution] as const;
  const resize = size[0] === resolution && size[1] === resolution ? undefined : [resolution, resolution] as const;
  const recipe = evalTransform({ size: resolution, mean, std, resize });
  for await (const part of batchesOf(dataset, rows, batchSize, resolution, options.workers)) {
    using images = keep(tidy(() => {
      const bytes = tensor(part.bytes, { shape: [part.rows.length, size[0], size[1], 3], device });
      const indices = arange(0, part.rows.length, { dtype: "u32", device });
      return squeeze(augment(bytes, { indices, recipe, views: 1 }), 1);
    }));
    yield { rows: part.rows, images };
  }
}

/** Rows that stand for a data set: all of them, or `most` at random, the same ones in every run. */
export function someRows(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return [...shuffled(length, key(0, 0x6b6e6e)).subarray(0, most)].sort((a, b) => a - b);
}

interface Bytes {
  readonly rows: number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function* batchesOf(
  dataset: ImageDataset,
  rows: readonly number[],
  batchSize: number,
  resolution: number,
  workers?: number,
): AsyncGenerator<Bytes> {
  if (!dataset.pixels) return yield* decodedBatches(dataset, rows, batchSize, resolution, workers);
  const { data, height, width } = dataset.pixels;
  const size = height * width * 3;
  for (let from = 0; from < rows.length; from += batchSize) {
    const part = rows.slice(from, from + batchSize);
    yield { rows: part, bytes: takeRows(data, size, part) };
  }
}

async function* decodedBatches(
  dataset: FileDataset,
  rows: readonly number[],
  batchSize: number,
  resolution: number,
  workers?: number,
): AsyncGenerator<Bytes> {
  using decoder = new ImageDecoder(dataset, { workers, spec: evaluationSpec(dataset, resolution) });
  const size = resolution * resolution * 3;
  let found: number[] = [];
  let bytes = new Uint8Array(Math.min(batchSize, rows.length) * size);
  let [at, current] = [0, 0];
  for await (const { index, data } of decoder.decode(rows)) {
    while (rows[at] !== index) at++; // past what could not be read
    const batch = Math.floor(at / batchSize);
    if (batch > current && found.length > 0) {
      yield { rows: found, bytes: bytes.subarray(0, found.length * size) };
      found = [];
      bytes = new Uint8Array(bytes.length);
    }
    bytes.set(data, found.length * size);
    found.push(index);
    current = batch;
    at++;
  }
  if (found.length > 0) yield { rows: found, bytes: bytes.subarray(0, found.length * size) };
}

/** The data set's own way to read images for evaluation, at another size where one is asked for. */
function evaluationSpec({ files, resolution: own }: FileDataset, resolution: number) {
  const { evaluation } = files;
  if (resolution === own) return evaluation;
  const { resize } = evaluation;
  if (resize && "shortSide" in resize) {
    return {
      ...evaluation,
      resize: { shortSide: Math.round(resize.shortSide * resolution / own) },
      centerCrop: resolution,
    };
  }
  return { ...evaluation, resize: { height: resolution, width: resolution } };
}
