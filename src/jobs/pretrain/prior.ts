import type { ImageDataset, PriorRows } from "../../data/mod.ts";
import { bindingBytes, rowsAtOnce } from "../../data/internal.ts";
import type { Device } from "../../device/mod.ts";
import { checkFinite } from "../../eval/internal.ts";
import { medianSigma } from "../../kernels/mod.ts";
import { keep, type Tensor, tensor } from "../../tensor/mod.ts";
import { takeRows } from "../../data/internal.ts";
import { HostPrior } from "../../train/mod.ts";
import { METHODS } from "../../methods/mod.ts";
import { clustersOf, equalRows } from "./prior_classes.ts";
import type { JobSettings } from "./settings.ts";

/** The prior that a method learns from: the data set's as it is for a kernel, or its classes; undefined without. */
export function priorOf(
  { prior }: Pick<ImageDataset, "prior">,
  { method, kernel, clusters, seed }: Pick<JobSettings, "method" | "kernel" | "clusters" | "seed">,
): PriorRows | undefined {
  if (!prior) return undefined;
  if (METHODS[method].prior !== "classes") {
    if (kernel === "linear") checkSquares(prior);
    return kernel === null ? undefined : prior;
  }
  checkFinite("find classes in a prior", prior);
  const classes = clusters === null ? equalRows(prior) : clustersOf(prior, clusters, seed);
  return { data: Float32Array.from(classes), dim: 1 };
}

/** Checks that the similarity of each row and itself is a number of f32: else all weights were NaN. */
function checkSquares({ data, dim }: PriorRows): void {
  for (let row = 0; row * dim < data.length; row++) {
    const square = data.subarray(row * dim, (row + 1) * dim).reduce((sum, x) => sum + x * x, 0);
    if (Number.isFinite(Math.fround(square))) continue;
    throw new RangeError(
      `Cannot use --kernel linear as the squares of a row must add up to less than 3.4e38: got ${square} for row ${row}; ` +
        "divide the prior by a constant, or use --kernel cosine",
    );
  }
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

/** Rows that the median is taken of. */
const MEDIAN_ROWS = 1024;

/** The median heuristic for a prior, rounded to three digits: the σ of `--sigma median`. */
export async function medianSigmaOf(device: Device, prior: PriorRows): Promise<number> {
  const n = prior.data.length / prior.dim;
  const count = Math.min(n, MEDIAN_ROWS, rowsAtOnce(device, prior.dim));
  using rows = uploadRows(device, prior, Array.from({ length: count }, (_, i) => Math.floor(i * n / count)));
  return Number((await medianSigma(rows)).toPrecision(3));
}

/** Uploads some rows of a prior, in the order given. */
export function uploadRows(device: Device, { data, dim }: PriorRows, rows: readonly number[]): Tensor {
  return upload(device, { data: takeRows(data, dim, rows), dim });
}
