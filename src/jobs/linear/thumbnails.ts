import type { Device } from "../../device/mod.ts";
import { evaluationBatches, type ImageDataset } from "../../data/mod.ts";
import { dataUris } from "../../report/mod.ts";

/** Small pictures of some images of a data set, as evaluation sees them: data URI by row. */
export async function thumbnails(
  device: Device,
  dataset: ImageDataset,
  rows: readonly number[],
  resolution: number,
): Promise<Map<number, string>> {
  const { mean, std } = dataset;
  const found = new Map<number, string>();
  const wanted = [...new Set(rows)];
  if (wanted.length === 0) return found;
  for await (const batch of evaluationBatches(device, dataset, { rows: wanted, resolution, batchSize: 64 })) {
    const values = await batch.images.data() as Float32Array;
    const bytes = Uint8Array.from(values, (v, i) => Math.min(255, Math.max(0, 255 * (v * std[i % 3]! + mean[i % 3]!))));
    const uris = await dataUris(bytes, resolution, resolution);
    batch.rows.forEach((row, i) => found.set(row, uris[i]!));
  }
  return found;
}
