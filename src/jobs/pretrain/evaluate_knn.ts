import type { Device } from "../../device/mod.ts";
import { type ImageDataset, joinClasses, someRows } from "../../data/mod.ts";
import type { Communicator } from "../../distributed/mod.ts";
import { groupOf } from "../../distributed/internal.ts";
import type { Contrastive } from "../../nn/mod.ts";
import { encodeImages, knn, type KnnScores, type LabelledFeatures } from "../../eval/mod.ts";
import { takeRows } from "../../data/internal.ts";
import type { JobInput } from "./events.ts";
import type { JobSettings } from "./settings.ts";
import type { ProjectedImages } from "../tensorboard/projector.ts";

/** Data of an evaluation: images that vote, and images that are classified. */
export interface EvaluationData {
  /** Images that vote. */
  readonly gallery: ImageDataset;
  /** Images that are classified; null: those that vote, each by the others. */
  readonly queries: ImageDataset | null;
}

/** Held-out images with the classes of the training images, and what to tell of them; null where they cannot be judged. */
export function judgedImages(
  { dataset, heldOut, settings }: Pick<JobInput, "dataset" | "heldOut" | "settings">,
): { heldOut: ImageDataset | null; notes: readonly string[] } {
  if (heldOut === null || dataset.labels === null || settings.eval_every === 0) return { heldOut, notes: [] };
  if (heldOut.labels === null) {
    return {
      heldOut: null,
      notes: [
        `"${heldOut.name}" (${heldOut.split}) has no labels: evaluations judge the training images by each other`,
      ],
    };
  }
  try {
    const joined = joinClasses(heldOut, dataset.classes);
    return { heldOut: joined, notes: joined.notes };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message} (--eval_every 0 trains without evaluations)`, { cause: error });
  }
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
  group: Communicator = groupOf({}),
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

/** Whether an evaluation is due after an epoch. */
export function isEvaluated(epoch: number, { eval_every, epochs }: JobSettings): boolean {
  return eval_every > 0 && epoch > 0 && (epoch % eval_every === 0 || epoch === epochs);
}

/** Images of {@linkcode encodeSome}. */
const SOME = 512;

/** Encodes some images of a data set, the same ones every time; the model is left in training mode. */
export async function encodeSome(
  device: Device,
  model: Contrastive,
  dataset: ImageDataset,
  { batch_size: batchSize, resolution, workers }: JobSettings,
): Promise<ProjectedImages> {
  model.eval();
  try {
    const options = { rows: someRows(dataset.length, SOME), batchSize, resolution, workers, group: groupOf({}) };
    const encoded = await encodeImages(device, dataset, (images) => model.encoder.forward(images), options);
    return { ...encoded!, dataset };
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
  const { labels, classes } = dataset;
  const width = labels instanceof Int32Array ? 1 : classes.length;
  return encoded && { features: encoded.features, labels: takeRows(labels!, width, encoded.rows) };
}
