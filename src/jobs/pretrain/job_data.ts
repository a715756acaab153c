import type { Device } from "../../device/mod.ts";
import {
  chexpertRecipe,
  type ImageDataset,
  type Labels,
  naturalRecipe,
  type PriorRows,
  type Recipe,
  someRows,
} from "../../data/mod.ts";
import { describeKernel, type KernelDescription, medianSigma } from "../../kernels/mod.ts";
import { noGrad } from "../../autograd/mod.ts";
import { keep, type Tensor, tensor, tidy } from "../../tensor/mod.ts";
import { type JobSettings, kernelOf } from "./job_settings.ts";
import { bindingBytes, rowsAtOnce } from "../../data/internal.ts";
import { HostPrior } from "../../train/mod.ts";
import { checkFinite, kernelNeighbours } from "../../eval/internal.ts";
import { type NamedNeighbours, namedNeighbours } from "./kernel_section.ts";

/** The augmentation of a data set. */
export function recipeOf({ mean, std }: ImageDataset, { augmentation, resolution: size }: JobSettings): Recipe {
  return augmentation === "chexpert" ? chexpertRecipe({ size, mean, std }) : naturalRecipe({ size, mean, std });
}

/**
 * A prior `[n, dim]` for training: on the device where the adapter binds it at once, else in host memory.
 *
 * @throws {TypeError} If it is not whole rows.
 * @throws {RangeError} If a value is not finite: a kernel of it would make NaN of whole batches.
 */
export function uploadPrior(device: Device, prior: PriorRows): Tensor | HostPrior {
  const { data, dim } = prior;
  if (!(dim >= 1) || data.length % dim !== 0) {
    throw new TypeError(`Cannot upload a prior as it must be [n, dim]: got ${data.length} values and dim ${dim}`);
  }
  checkFinite("upload a prior", prior);
  return 4 * prior.data.length <= bindingBytes(device) ? upload(device, prior) : new HostPrior(device, prior);
}

function upload(device: Device, { data, dim }: PriorRows): Tensor {
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
  const rows = someRows(dataset.length, Math.min(settings.batch_size, 256, rowsAtOnce(device, prior.dim)));
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
  const count = Math.min(n, MEDIAN_ROWS, rowsAtOnce(device, prior.dim));
  using rows = pickRows(device, prior, Array.from({ length: count }, (_, i) => Math.floor(i * n / count)));
  return Number((await medianSigma(rows)).toPrecision(3));
}

function pickRows(device: Device, { data, dim }: PriorRows, rows: readonly number[]): Tensor {
  const picked = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => picked.set(data.subarray(row * dim, (row + 1) * dim), i * dim));
  return upload(device, { data: picked, dim });
}

function byClass(rows: number[], labels: Labels): number[] {
  return labels instanceof Int32Array ? rows.toSorted((a, b) => labels[a]! - labels[b]! || a - b) : rows;
}
