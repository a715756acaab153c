import { npzChunks, writeWhole } from "../../formats/mod.ts";
import { readPriorFile } from "./_prior_file.ts";
import { checkFiniteRows, joinPrior, type LoadedPrior } from "./_prior_join.ts";
import type { ImageDataset, PriorRows } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

export type { LoadedPrior } from "./_prior_join.ts";

/** Options of {@linkcode loadPrior}. */
export interface PriorOptions {
  /** Names of the columns of a `.csv` that are the prior (default: see {@linkcode loadPrior}). */
  columns?: readonly string[];
}

/**
 * Loads a prior for a data set: from `.npz` or `.safetensors` with an array `prior`, from `.npy`, or from `.csv`. The first
 * three are told by their content, whatever the file is called.
 *
 * `prior` is `[n, dim]`, `[n]` (one value for an image) or `[n, k, dim]` (the first of each k is taken, as the original does).
 * `labels`, where there are any, are compared with those of the data set. Names of the images, where there are any (`paths` in an
 * `.npz`, or as JSON in the metadata of a `.safetensors`; a column `path`, `file`, `name`, `image` or `CID` of a `.csv`), put the
 * rows in order: by whole path, by the last two parts, by file name, or as a UT-Zappos identifier, whichever identifies every
 * image. Without names the rows must be as many as the images, and in their order.
 *
 * Of a `.csv` the columns that `columns` names are taken, or else those with `attr_val` in their names, or else all but names,
 * row numbers, splits and labels; the latter are told by their headers (`label`, `class`, `target`…, or the name of a class), or by
 * values that stand for the classes one to one. A note says which columns were taken and which were not.
 *
 * Differs from the original: rows without attributes, NaN, and names and labels that do not fit are errors (there, a left join
 * let NaN through, and CUB's labels could not be compared).
 *
 * @param file The file.
 * @param dataset The images that the rows are for.
 * @param options Which columns of a `.csv` are the prior.
 * @returns Values `[n, dim]` in the order of the images, and which rows of the file were not used.
 * @throws {SyntaxError} If the file is damaged or holds no prior.
 * @throws {TypeError} If rows, names or labels are not those of the data set, or the file is of another format.
 * @throws {RangeError} If a row holds NaN or infinity, or all values are less than f32 tells from 0.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset, loadPrior, savePrior, takeFirst } from "@decoupled/uniformity/data";
 *
 * const emoji = takeFirst(await emojiDataset(), 3);
 * const file = `${await Deno.makeTempDir()}/features.npz`;
 * await savePrior(file, { data: Float32Array.of(1, 2, 3, 4, 5, 6), dim: 2 }, emoji);
 *
 * const prior = await loadPrior(file, emoji);
 *
 * assertEquals([prior.dim, prior.data], [2, Float32Array.of(1, 2, 3, 4, 5, 6)]);
 * ```
 */
export async function loadPrior(
  file: string,
  dataset: ImageDataset,
  options: PriorOptions = {},
): Promise<LoadedPrior> {
  checkOptions("loadPrior()", options, ["columns"]);
  return joinPrior(await readPriorFile(file, { ...options, classes: dataset.classes }), dataset, file);
}

/**
 * Writes a prior as an `.npz` file that {@linkcode loadPrior} and NumPy read: `prior` `[n, dim]`, `labels`, and `paths`.
 *
 * @param file Where to.
 * @param prior The rows.
 * @param dataset The images that the rows are for.
 * @throws {TypeError} If there is not a row for each image.
 * @throws {RangeError} If a row holds NaN or infinity.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emojiDataset, savePrior, takeFirst } from "@decoupled/uniformity/data";
 *
 * const emoji = takeFirst(await emojiDataset(), 2);
 * const file = `${await Deno.makeTempDir()}/features.npz`;
 *
 * await savePrior(file, { data: Float32Array.of(1, 2), dim: 1 }, emoji);
 *
 * assertEquals((await Deno.stat(file)).isFile, true);
 * ```
 */
export async function savePrior(file: string, prior: PriorRows, dataset: ImageDataset): Promise<void> {
  checkRows(prior, dataset);
  checkFiniteRows(prior.data, prior.dim, file, dataset.paths);
  const { labels, paths, length } = dataset;
  await writeWhole(
    file,
    npzChunks({
      prior: { shape: [length, prior.dim], dtype: "f32", data: prior.data },
      ...(labels instanceof Int32Array ? { labels: { shape: [length], dtype: "i32", data: labels } as const } : {}),
      ...(labels instanceof Float32Array
        ? { labels: { shape: [length, dataset.classes.length], dtype: "f32", data: labels } as const }
        : {}),
      ...(paths ? { paths: { shape: [length], dtype: "string", data: paths } as const } : {}),
    }),
  );
}

/**
 * Collects a prior from whatever gives rows one by one: a generator, a stream of an encoder's outputs, rows of a database.
 *
 * @param rows A row of numbers for each image, in the order of the images; all of one length.
 * @param dataset The images that the rows are for.
 * @returns Values `[n, dim]`.
 * @throws {TypeError} If there is not a row for each image, or a row has another length than the first.
 * @throws {RangeError} If a row holds NaN or infinity.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { collectPrior, emojiDataset, takeFirst } from "@decoupled/uniformity/data";
 *
 * const emoji = takeFirst(await emojiDataset(), 5);
 *
 * async function* lengthOfName() {
 *   for (const name of emoji.paths ?? []) yield [name.length, name.split("_").length];
 * }
 *
 * const prior = await collectPrior(lengthOfName(), emoji);
 *
 * assertEquals([prior.dim, prior.data.length], [2, 10]);
 * ```
 * @example A prior and a kernel of one's own, to the loss
 * ```ts
 * import { assertLess } from "@std/assert";
 * import { Device, exp, mul, sqrt, squaredDistances } from "@decoupled/uniformity";
 * import { collectPrior, emojiDataset, naturalRecipe, takeFirst } from "@decoupled/uniformity/data";
 * import type { Kernel } from "@decoupled/uniformity/kernels";
 * import { makeModel, pretrain } from "@decoupled/uniformity/train";
 * import { ResidentImages } from "@decoupled/uniformity/data";
 * import { uploadPrior } from "@decoupled/uniformity/jobs";
 *
 * await using device = await Device.open();
 * const emoji = takeFirst(await emojiDataset(), 32);
 *
 * async function* lengthOfName() {
 *   for (const name of emoji.paths ?? []) yield [name.length, name.split("_").length];
 * }
 * const laplace: Kernel = (x, y) => exp(mul(sqrt(squaredDistances(x, y)), -0.5));
 *
 * const prior = uploadPrior(device, await collectPrior(lengthOfName(), emoji));
 * const source = new ResidentImages(device, emoji.pixels, naturalRecipe({ size: 32, mean: emoji.mean, std: emoji.std }));
 * const model = makeModel("tiny", { stem: "cifar" });
 * for await (const { loss } of pretrain(model, { source, prior }, { epochs: 1, batchSize: 16, kernel: laplace })) {
 *   assertLess(loss, 0);
 * }
 * ```
 */
export async function collectPrior(
  rows: AsyncIterable<ArrayLike<number>> | Iterable<ArrayLike<number>>,
  dataset: ImageDataset,
): Promise<PriorRows> {
  let data = new Float32Array();
  let dim = 0;
  let count = 0;
  for await (const row of rows) {
    if (count === 0) {
      dim = row.length;
      data = new Float32Array(dataset.length * dim);
    }
    if (row.length !== dim || dim === 0) {
      throw new TypeError(
        `Cannot collect a prior as all rows must have one length: row 0 has ${dim} values, row ${count} ${row.length}`,
      );
    }
    if (count < dataset.length) data.set(row, count * dim);
    count++;
  }
  if (count !== dataset.length) {
    throw new TypeError(
      `Cannot collect a prior as there must be a row for each image: got ${count} rows and ${dataset.length} images`,
    );
  }
  checkFiniteRows(data, dim, "rows", dataset.paths);
  return { data, dim };
}

function checkRows(prior: PriorRows, dataset: ImageDataset): void {
  if (prior.dim * dataset.length === prior.data.length && prior.dim > 0) return;
  throw new TypeError(
    `Cannot save a prior as it must have a row for each image: got ${prior.data.length} values, dim ${prior.dim} and ` +
      `${dataset.length} images`,
  );
}
