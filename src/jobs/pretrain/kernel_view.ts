import { noGrad } from "../../autograd/mod.ts";
import { type ImageDataset, type Labels, someRows } from "../../data/mod.ts";
import { rowsAtOnce } from "../../data/internal.ts";
import type { Device } from "../../device/mod.ts";
import type { KernelNeighbours } from "../../eval/mod.ts";
import { kernelNeighbours } from "../../eval/internal.ts";
import { describeKernel, type KernelDescription } from "../../kernels/mod.ts";
import { keep, tidy } from "../../tensor/mod.ts";
import { kernelOf } from "./from_settings.ts";
import { uploadRows } from "./prior.ts";
import type { JobSettings } from "./settings.ts";

/** Neighbours, and what to call images. */
export interface NamedNeighbours extends KernelNeighbours {
  /** Name of each row: its path, or its class. */
  readonly names: ReadonlyMap<number, string>;
}

/** View of a prior through the kernel, for a look before training. */
export interface KernelView {
  /** Similarities of some samples, `[size, size]`, those of one class next to each other. */
  readonly gram: Float32Array;
  /** Samples shown. */
  readonly size: number;
  /** Description of how much of the centroids' spread is left, and advice. */
  readonly description: KernelDescription;
  /** Nearest neighbours of some images by their prior. */
  readonly neighbours: NamedNeighbours;
}

/** Looks at the kernel on as many samples as a batch has. */
export async function viewKernel(device: Device, dataset: ImageDataset, settings: JobSettings): Promise<KernelView> {
  const kernel = kernelOf(settings)!;
  const prior = dataset.prior!;
  const rows = someRows(dataset.length, Math.min(settings.batch_size, 256, rowsAtOnce(device, prior.dim)));
  using batch = uploadRows(device, prior, rows);
  const description = await describeKernel(batch, { kernel, ridge: settings.lambda });
  const shown = byClass(someRows(dataset.length, 48), dataset.labels);
  using few = uploadRows(device, prior, shown);
  using gram = keep(noGrad(() => tidy(() => kernel(few, few))));
  using all = keep(noGrad(() => tidy(() => kernel(batch, batch))));
  const neighbours = namedNeighbours(dataset, await kernelNeighbours(dataset, rows, await all.data()));
  return { gram: await gram.data() as Float32Array, size: shown.length, description, neighbours };
}

function byClass(rows: number[], labels: Labels): number[] {
  return labels instanceof Int32Array ? rows.toSorted((a, b) => labels[a]! - labels[b]! || a - b) : rows;
}

/** Names of the rows that have pictures: the path, or else the class. */
export function namedNeighbours(dataset: ImageDataset, neighbours: KernelNeighbours): NamedNeighbours {
  const { paths, labels, classes } = dataset;
  const nameOf = (row: number) => paths?.[row] ?? (labels instanceof Int32Array ? classes[labels[row]!] : undefined);
  const rows = neighbours.lists.flatMap(({ query, found }) => [query, ...found.map((each) => each.row)]);
  return { ...neighbours, names: new Map(rows.map((row) => [row, nameOf(row) ?? `image ${row}`])) };
}
