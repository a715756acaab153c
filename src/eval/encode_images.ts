import { noGrad } from "../autograd/mod.ts";
import type { Device } from "../device/mod.ts";
import { evaluationBatches, type EvaluationOptions, type ImageDataset } from "../data/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import { groupOf } from "../distributed/internal.ts";
import { keep, type Tensor, tidy } from "../tensor/mod.ts";
import { collectRows, type EncodedRows, rowsOfRank } from "./distributed_encode.ts";
import { EVALUATION_BATCH, imagesAtOnce, leastOf } from "../data/internal.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode encodeImages}. */
export interface EncodeImagesOptions extends EvaluationOptions {
  /** The ranks, each of which encodes its part; this process alone by default. */
  readonly group?: Communicator;
  /** Callback after each batch of this rank. */
  readonly onBatch?: (batch: EncodedRows) => void;
}

/**
 * Encodes images of a data set without augmentation, as many at once as `batchSize` and the adapter allow. The ranks share them, batch by batch; the features do not depend on
 * how many ranks there are.
 *
 * @param encode Maps images `[n, h, w, 3]` to features `[n, dim]`.
 * @returns Features and rows of the images that could be read, in the order of `options.rows`, on rank 0; null on the
 *   others.
 */
export async function encodeImages(
  device: Device,
  dataset: ImageDataset,
  encode: (images: Tensor) => Tensor,
  options: EncodeImagesOptions = {},
): Promise<EncodedRows | null> {
  checkOptions("encodeImages()", options, ["rows", "batchSize", "resolution", "workers", "group", "onBatch"]);
  const { group: _, onBatch, resolution = dataset.resolution, ...rest } = options;
  const group = groupOf(options);
  const fitting = imagesAtOnce(device, encode, resolution, options.batchSize ?? EVALUATION_BATCH);
  const batchSize = await leastOf(group, fitting);
  const wanted = rowsOfRank(group, options.rows ?? Array.from(Array(dataset.length).keys()), batchSize);
  const parts: Float32Array[] = [];
  const rows: number[] = [];
  let dim = 0;
  for await (const batch of evaluationBatches(device, dataset, { ...rest, resolution, batchSize, rows: wanted })) {
    using z = keep(noGrad(() => tidy(() => encode(batch.images))));
    const data = await z.data() as Float32Array<ArrayBuffer>;
    dim = z.shape[1]!;
    onBatch?.({ features: { data, dim }, rows: batch.rows });
    parts.push(data);
    for (const row of batch.rows) rows.push(row);
  }
  const data = new Float32Array(rows.length * dim);
  parts.reduce((at, part) => (data.set(part, at), at + part.length), 0);
  return await collectRows(group, { features: { data, dim }, rows });
}
