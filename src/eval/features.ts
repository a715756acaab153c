import { createHash } from "node:crypto";
import type { Device } from "../device/mod.ts";
import type { Features, ImageDataset } from "../data/mod.ts";
import { broadcastJson, type Communicator } from "../distributed/mod.ts";
import { groupOf } from "../distributed/internal.ts";
import { checkSeal, sealed } from "../formats/internal.ts";
import { type NdArray, ndarray, readSafetensors, safetensorsChunks, toF32, writeWhole } from "../formats/mod.ts";
import type { Backbone } from "../nn/mod.ts";
import type { EncodedRows } from "./distributed_encode.ts";
import { encodeImages } from "./encode_images.ts";
import { readState } from "../weights/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Features of a data set. */
export interface DatasetFeatures {
  /** Features `[rows.length, dim]`. */
  readonly features: Features;
  /** Rows of the data set, ascending; images that cannot be read are left out. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** Whether the features came from the cache. */
  readonly cached: boolean;
}

/** Options of {@linkcode datasetFeatures}. */
export interface FeatureOptions {
  /** Name of the feature. `fc`: the output of the encoder, as in the original; `pooled`: what its last layer gets. */
  feature: "fc" | "pooled";
  /** Side of the images, px. */
  resolution: number;
  /** Images at once; 256 by default. */
  batchSize?: number;
  /** Workers that decode. */
  workers?: number;
  /** Folder of the cache; none when absent. */
  cache?: string;
  /** Digest of the weights, from {@linkcode weightsDigest}. */
  digest: string;
  /** The ranks, which share the images; this process alone by default. */
  group?: Communicator;
  /** Callback after each batch with the images done, on all ranks together about. */
  onProgress?: (done: number) => void;
}

/** SHA-256 of the names, shapes and values of an encoder's state. */
export async function weightsDigest(encoder: Backbone): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, { shape, data }] of await readState(encoder)) {
    hash.update(JSON.stringify([name, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

const OPTIONS = ["feature", "resolution", "batchSize", "workers", "cache", "digest", "group", "onProgress"] as const;

/**
 * Encodes all images of a data set without augmentation, or reads what was encoded before: the cache is keyed by the
 * weights, the images (their pixels, or the files' names, sizes and times), the feature and the resolution.
 *
 * @returns The features on rank 0; null on the others.
 * @throws {RangeError} If the data set is empty or a feature is not finite.
 */
export async function datasetFeatures(
  device: Device,
  encoder: Backbone,
  dataset: ImageDataset,
  options: FeatureOptions,
): Promise<DatasetFeatures | null> {
  checkOptions("compute datasetFeatures()", options, OPTIONS);
  if (dataset.length === 0) {
    throw new RangeError(`Cannot evaluate as the ${dataset.split} set of "${dataset.name}" is empty: got 0 images`);
  }
  const { feature, resolution, batchSize, workers, onProgress } = options;
  const group = groupOf(options);
  const file = options.cache && group.rank === 0
    ? `${options.cache}/${await cacheKey(dataset, options)}.safetensors`
    : null;
  const known = file ? await readCache(file) : null;
  if (broadcastJson(group, known !== null)) return known;
  let done = 0;
  const onBatch = (batch: EncodedRows) => {
    checkFinite(batch, dataset.split);
    done += batch.rows.length;
    onProgress?.(Math.min(dataset.length, done * group.size));
  };
  const encoded = await encodeImages(
    device,
    dataset,
    (images) => feature === "pooled" ? encoder.pooled(images) : encoder.forward(images),
    { resolution, batchSize, workers, group, onBatch },
  );
  if (!encoded) return null;
  const result = { features: encoded.features, rows: Int32Array.from(encoded.rows), cached: false };
  if (file) await writeCache(file, result);
  return result;
}

function checkFinite({ features: { data, dim }, rows }: EncodedRows, split: string): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new RangeError(
    `Cannot evaluate as every feature must be finite: got ${data[bad]} for image ${
      rows[Math.floor(bad / dim)]
    } of the ${split} set`,
  );
}

async function readCache(file: string): Promise<DatasetFeatures | null> {
  try {
    const known = readSafetensors(await Deno.readFile(file));
    await checkSeal(known);
    const { tensors } = known;
    const [features, rows] = [tensors.get("features")!, tensors.get("rows")!];
    return {
      features: { data: toF32(features), dim: features.shape[1]! },
      rows: Int32Array.from(rows.data, Number),
      cached: true,
    };
  } catch (error) {
    // Absent, half-written or damaged: encode again.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function writeCache(file: string, { features: { data, dim }, rows }: DatasetFeatures): Promise<void> {
  await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
  const tensors = new Map<string, NdArray>([
    ["features", ndarray([rows.length, dim], "f32", data)],
    ["rows", ndarray([rows.length], "i32", rows)],
  ]);
  await writeWhole(file, safetensorsChunks(tensors, await sealed(tensors, {})));
}

async function cacheKey(dataset: ImageDataset, { digest, feature, resolution }: FeatureOptions): Promise<string> {
  const hash = createHash("sha256");
  const { name, split, length, mean, std } = dataset;
  hash.update(JSON.stringify([digest, feature, resolution, name, split, length, mean, std]));
  if (dataset.pixels) {
    hash.update(dataset.pixels.data);
  } else {
    const { paths, evaluation } = dataset.files;
    hash.update(JSON.stringify([evaluation, paths]));
    const step = Math.max(1, Math.floor(paths.length / 2000));
    for (let i = 0; i < paths.length; i += step) {
      const info = await Deno.stat(paths[i]!).catch(() => null);
      hash.update(JSON.stringify([info?.size, info?.mtime]));
    }
  }
  return `${name}_${split}_${hash.digest("hex").slice(0, 20)}`;
}
