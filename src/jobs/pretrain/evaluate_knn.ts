import type { Device } from "../../device/mod.ts";
import { type ImageDataset, joinClasses, someRows } from "../../data/mod.ts";
import { type Communicator, SingleProcess } from "../../distributed/mod.ts";
import type { Contrastive } from "../../nn/mod.ts";
import { encodeImages, knn, type KnnScores, type LabelledFeatures } from "../../eval/mod.ts";
import type { JobSettings } from "./job_settings.ts";

/** Data of an evaluation: images that vote, and images that are classified. */
export interface EvaluationData {
  /** Images that vote. */
  readonly gallery: ImageDataset;
  /** Images that are classified; null: those that vote, each by the others. */
  readonly queries: ImageDataset | null;
}

/**
 * Classifies held-out images by their neighbours among training images, their classes joined by name; the model is left
 * in training mode.
 *
 * @param group The ranks that encode the images together, each its part; this process alone by default.
 * @returns The scores, on rank 0; null on the others.
 */
export async function evaluateKnn(
  device: Device,
  model: Contrastive,
  { gallery, queries }: EvaluationData,
  settings: JobSettings,
  group: Communicator = new SingleProcess(),
): Promise<KnnScores | null> {
  model.eval();
  try {
    const bank = await featuresOf(device, model, gallery, settings, group);
    const joined = queries && joinClasses(queries, gallery.classes);
    const asked = joined ? await featuresOf(device, model, joined, settings, group) : bank;
    if (!bank || !asked) return null;
    return await knn(bank, asked, { classes: gallery.classes.length, leaveOneOut: queries === null, device });
  } finally {
    model.train();
  }
}

async function featuresOf(
  device: Device,
  model: Contrastive,
  dataset: ImageDataset,
  { eval_images, batch_size, resolution, workers }: JobSettings,
  group: Communicator,
): Promise<LabelledFeatures | null> {
  const rows = someRows(dataset.length, eval_images);
  const options = { rows, batchSize: batch_size, resolution, workers, group };
  const encoded = await encodeImages(device, dataset, (images) => model.encoder.forward(images), options);
  return encoded && { features: encoded.features, labels: pickLabels(dataset, encoded.rows) };
}

function pickLabels({ labels, classes }: ImageDataset, rows: ArrayLike<number>): Int32Array | Float32Array {
  if (labels instanceof Int32Array) return Int32Array.from(rows, (row) => labels[row]!);
  const width = classes.length;
  return Float32Array.from(
    { length: rows.length * width },
    (_, i) => labels![rows[Math.floor(i / width)]! * width + i % width]!,
  );
}
