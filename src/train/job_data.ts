import type { Device } from "../device/mod.ts";
import {
  chexpertRecipe,
  type ImageDataset,
  type Labels,
  naturalRecipe,
  type PriorRows,
  type Recipe,
  type UnreadableImage,
} from "../data/mod.ts";
import { describeKernel, type KernelDescription, medianSigma } from "../kernels/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { noGrad } from "../autograd/mod.ts";
import { keep, type Tensor, tensor, tidy } from "../tensor/mod.ts";
import { type JobSettings, kernelOf } from "./job_settings.ts";
import { kernelNeighbours } from "./kernel_neighbours.ts";
import { knn, type KnnScores, type LabelledFeatures } from "./knn.ts";
import { evaluationBatches, someRows } from "./labelled_images.ts";
import { type NamedNeighbours, namedNeighbours } from "./report/kernel_section.ts";
import { ResidentImages } from "./resident_images.ts";
import { StreamedImages } from "./streamed_images.ts";
import { UploadedImages } from "./uploaded_images.ts";
import type { ViewSource } from "./view_source.ts";

/** Options of {@linkcode imageSource}. */
export interface ImageSourceOptions {
  /** Workers that decode. */
  workers?: number;
  /** Called once for every unreadable file. */
  onUnreadable?: (image: UnreadableImage) => void;
}

/**
 * Makes views of a data set: from bytes on the device where they fit in what the adapter binds at once, from bytes in
 * host memory where they do not, from files otherwise.
 */
export function imageSource(
  device: Device,
  dataset: ImageDataset,
  recipe: Recipe,
  options: ImageSourceOptions = {},
): ViewSource {
  if (!dataset.pixels) return new StreamedImages(device, dataset, recipe, options);
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const fits = dataset.pixels.data.length <= Math.min(maxStorageBufferBindingSize, maxBufferSize);
  return fits ? new ResidentImages(device, dataset.pixels, recipe) : new UploadedImages(device, dataset.pixels, recipe);
}

/** The augmentation of a data set. */
export function recipeOf({ mean, std }: ImageDataset, { augmentation, resolution: size }: JobSettings): Recipe {
  return augmentation === "chexpert" ? chexpertRecipe({ size, mean, std }) : naturalRecipe({ size, mean, std });
}

/** The rows of a prior on the device, `[n, dim]`. */
export function uploadPrior(device: Device, { data, dim }: PriorRows): Tensor {
  return keep(tensor(data, { shape: [data.length / dim, dim], device }));
}

/** What the kernel makes of a prior, for a look before training. */
export interface KernelView {
  /** Similarities of some samples, `[size, size]`, those of one class next to each other. */
  readonly gram: Float32Array;
  /** Samples shown. */
  readonly size: number;
  /** How much is left of the spread of centroids, and what to try. */
  readonly description: KernelDescription;
  /** Some images and those that are most alike by their prior. */
  readonly neighbours: NamedNeighbours;
}

/** Looks at the kernel on as many samples as a batch has. */
export async function viewKernel(device: Device, dataset: ImageDataset, settings: JobSettings): Promise<KernelView> {
  const kernel = kernelOf(settings)!;
  const prior = dataset.prior!;
  const rows = someRows(dataset.length, Math.min(settings.batch_size, 256));
  using batch = pickRows(device, prior, rows);
  const description = await describeKernel(batch, { kernel, ridge: settings.lambda });
  const shown = byClass(someRows(dataset.length, 48), dataset.labels);
  using few = pickRows(device, prior, shown);
  using gram = keep(noGrad(() => tidy(() => kernel(few, few))));
  using all = keep(noGrad(() => tidy(() => kernel(batch, batch))));
  const neighbours = namedNeighbours(dataset, await kernelNeighbours(dataset, rows, await all.data()));
  return { gram: await gram.data() as Float32Array, size: shown.length, description, neighbours };
}

/** Rows that the median is taken of. */
const MEDIAN_ROWS = 1024;

/** The median heuristic for a prior, rounded to three digits: the σ of `--sigma median`. */
export async function medianSigmaOf(device: Device, prior: PriorRows): Promise<number> {
  const n = prior.data.length / prior.dim;
  const count = Math.min(n, MEDIAN_ROWS);
  using rows = pickRows(device, prior, Array.from({ length: count }, (_, i) => Math.floor(i * n / count)));
  return Number((await medianSigma(rows)).toPrecision(3));
}

function pickRows(device: Device, { data, dim }: PriorRows, rows: readonly number[]): Tensor {
  const picked = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => picked.set(data.subarray(row * dim, (row + 1) * dim), i * dim));
  return uploadPrior(device, { data: picked, dim });
}

function byClass(rows: number[], labels: Labels): number[] {
  return labels instanceof Int32Array ? rows.toSorted((a, b) => labels[a]! - labels[b]! || a - b) : rows;
}

/** Data of an evaluation: images that vote, and images that are classified. */
export interface EvaluationData {
  /** Images that vote. */
  readonly gallery: ImageDataset;
  /** Images that are classified; null: those that vote, each by the others. */
  readonly queries: ImageDataset | null;
}

/** Classifies held-out images by their neighbours among training images; the model is left in training mode. */
export async function evaluateKnn(
  device: Device,
  model: Contrastive,
  { gallery, queries }: EvaluationData,
  settings: JobSettings,
): Promise<KnnScores> {
  model.eval();
  try {
    const bank = await featuresOf(device, model, gallery, settings);
    const asked = queries ? await featuresOf(device, model, queries, settings) : bank;
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
): Promise<LabelledFeatures> {
  const rows = someRows(dataset.length, eval_images);
  const parts: Float32Array[] = [];
  const kept: number[] = [];
  for await (const batch of evaluationBatches(device, dataset, { rows, batchSize: batch_size, resolution, workers })) {
    using z = keep(noGrad(() => tidy(() => model.encoder.forward(batch.images))));
    parts.push(await z.data() as Float32Array);
    kept.push(...batch.rows);
  }
  const dim = parts[0]!.length / Math.min(batch_size, kept.length);
  const data = new Float32Array(kept.length * dim);
  parts.reduce((at, part) => (data.set(part, at), at + part.length), 0);
  return { features: { data, dim }, labels: pickLabels(dataset, kept) };
}

function pickLabels({ labels, classes }: ImageDataset, rows: readonly number[]): Int32Array | Float32Array {
  if (labels instanceof Int32Array) return Int32Array.from(rows, (row) => labels[row]!);
  const width = classes.length;
  return Float32Array.from(
    { length: rows.length * width },
    (_, i) => labels![rows[Math.floor(i / width)]! * width + i % width]!,
  );
}
