import { parseDecimal, quoted } from "../../formats/internal.ts";
import { join } from "node:path";
import { columnOf, type CsvTable, readCsv, rowsBy } from "../files/csv.ts";
import { isFile, listSome } from "../files/files.ts";
import { readIds } from "../files/lists.ts";
import type { PriorTable } from "./_prior_table.ts";
import { joinPrior, type LoadedPrior } from "./_prior_join.ts";
import type { ImageDataset } from "../dataset.ts";
import { loadPrior } from "./prior.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadCubAttributes}. */
export interface CubAttributesOptions {
  /** File to take the attributes from: the original's `meta_data_bin_train.csv`, its `cub_prior.npz`, or one of one's own. */
  file?: string;
  /**
   * Certainty with which an annotator must have seen an attribute, where CUB's own annotations are used: 2 guessing, 3
   * probably (default), 4 definitely.
   */
  minCertainty?: 1 | 2 | 3 | 4;
  /**
   * Whether all images of a class get, where CUB's own annotations are used, the attributes that more than half of its
   * images in the data set have (default `false`: each image its own).
   */
  majority?: boolean;
}

/**
 * Loads the 312 binary attributes of CUB-200's images ("has_bill_shape::dagger") as a prior.
 *
 * They come from `options.file`, or else from the first of these that is there: `meta_data_bin_train.csv` in `root`
 * (the original's), `cub_prior.npz` in `root` (written by the original),
 * `CUB_200_2011/attributes/image_attribute_labels.txt` (CUB's own annotations, from which the attributes are rebuilt: 1
 * where the annotator said that it is there and was sure enough). The notes say which it was.
 *
 * @param root The folder that {@linkcode loadCub200} was given.
 * @param dataset The images.
 * @returns Values 0 or 1, `[n, 312]`.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {TypeError} If an image has no attributes.
 * @throws {SyntaxError} If a file is damaged.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCub200, loadCubAttributes } from "@decoupled/uniformity/data";
 *
 * const train = await loadCub200("./data/cub200");
 * const prior = await loadCubAttributes("./data/cub200", train);
 * console.log(prior.dim, prior.notes); // 312
 * ```
 */
export async function loadCubAttributes(
  root: string,
  dataset: ImageDataset,
  options: CubAttributesOptions = {},
): Promise<LoadedPrior> {
  checkOptions("loadCubAttributes()", options, ["file", "minCertainty", "majority"]);
  const file = options.file ?? await firstFile([join(root, "meta_data_bin_train.csv"), join(root, "cub_prior.npz")]);
  if (file !== null) return await fromFile(file, dataset);
  for (const folder of [join(root, "CUB_200_2011"), root]) {
    const path = join(folder, "attributes", "image_attribute_labels.txt");
    if (await isFile(path)) return await rebuildCub(root, folder, path, dataset, options);
  }
  throw new Deno.errors.NotFound(
    `Cannot load the attributes of CUB-200-2011: "${root}" has none of "meta_data_bin_train.csv", "cub_prior.npz" and ` +
      `"CUB_200_2011/attributes/image_attribute_labels.txt"`,
  );
}

/**
 * Loads the 126 binary attributes of UT-Zappos50K's images (heel height, insole, closure, gender, material, toe style)
 * as a prior.
 *
 * They come from `options.file`, or else from the first of these that is there: `meta_data_bin_train.csv` in `root`
 * (the original's), `utzappos_prior.npz` in `root` (written by the original), `ut-zap50k-data/meta-data-bin.csv` (the
 * data set's own: all its columns but `Category` and `SubCategory`, the latter being what the labels are),
 * `ut-zap50k-data/meta-data.csv` (a column for every value, several values being separated by `;`). The notes say which
 * it was.
 *
 * @param root The folder that {@linkcode loadUtZappos} was given.
 * @param dataset The images.
 * @returns Values 0 or 1, `[n, columns]`.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {TypeError} If an image has no attributes.
 * @throws {SyntaxError} If a file is damaged.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadUtZappos, loadUtZapposAttributes } from "@decoupled/uniformity/data";
 *
 * const train = await loadUtZappos("./data/utzappos");
 * const prior = await loadUtZapposAttributes("./data/utzappos", train);
 * console.log(prior.dim, prior.notes); // 126
 * ```
 */
export async function loadUtZapposAttributes(
  root: string,
  dataset: ImageDataset,
  options: { file?: string } = {},
): Promise<LoadedPrior> {
  checkOptions("loadUtZapposAttributes()", options, ["file"]);
  const file = options.file ??
    await firstFile([join(root, "meta_data_bin_train.csv"), join(root, "utzappos_prior.npz")]);
  if (file !== null) return await fromFile(file, dataset);
  const binary = join(root, "ut-zap50k-data", "meta-data-bin.csv");
  const plain = join(root, "ut-zap50k-data", "meta-data.csv");
  const path = await firstFile([binary, plain]);
  if (path === null) {
    throw new Deno.errors.NotFound(
      `Cannot load the attributes of UT-Zappos50K: "${root}" has none of "meta_data_bin_train.csv", "utzappos_prior.npz", ` +
        `"ut-zap50k-data/meta-data-bin.csv" and "ut-zap50k-data/meta-data.csv"`,
    );
  }
  const table = path === binary ? await readBinaryMetadata(path) : await readPlainMetadata(path);
  return withNote(
    joinPrior(table, dataset, path, { wholeSet: true }),
    `attributes rebuilt from "${path}": ${table.dim} columns`,
  );
}

async function firstFile(paths: string[]): Promise<string | null> {
  for (const path of paths) if (await isFile(path)) return path;
  return null;
}

async function fromFile(file: string, dataset: ImageDataset): Promise<LoadedPrior> {
  const prior = await loadPrior(file, dataset);
  return withNote(prior, `attributes from "${file}": ${prior.dim} columns`);
}

function withNote(prior: LoadedPrior, note: string): LoadedPrior {
  return { ...prior, notes: [note, ...prior.notes] };
}

async function rebuildCub(
  root: string,
  folder: string,
  path: string,
  dataset: ImageDataset,
  options: CubAttributesOptions,
): Promise<LoadedPrior> {
  const names = await firstFile([
    join(folder, "attributes", "attributes.txt"),
    join(folder, "attributes.txt"),
    join(root, "attributes.txt"),
  ]);
  if (names === null) {
    throw new Deno.errors.NotFound(`Cannot read "${path}": "attributes.txt", the names of its attributes, is absent`);
  }
  const attributes = await readIds(names);
  const images = await readIds(join(folder, "images.txt"));
  const { table, odd } = await readAnnotations(path, images, attributes, options.minCertainty ?? 3);
  const prior = joinPrior(table, dataset, path, { wholeSet: true });
  if (options.majority) takeMajority(prior, dataset);
  const rule = `1 where certainty is at least ${options.minCertainty ?? 3}${
    options.majority ? ", by majority of the class" : ""
  }`;
  const notes = [`attributes rebuilt from "${path}": ${table.dim} columns, ${rule}`];
  if (odd > 0) notes.push(`${odd} lines of "${path}" have surplus fields, which were skipped`);
  return { ...prior, notes: [...notes, ...prior.notes] };
}

/** Lines `IMAGE ATTRIBUTE PRESENT CERTAINTY TIME`; some of the published ones have surplus zeros before the certainty. */
async function readAnnotations(
  path: string,
  images: Map<string, string>,
  attributes: Map<string, string>,
  minCertainty: number,
): Promise<{ table: PriorTable; odd: number }> {
  const dim = attributes.size;
  const columnById = new Map([...attributes.keys()].map((id, column) => [id, column]));
  const rowOf = new Map([...images.keys()].map((id, row) => [id, row]));
  const data = new Float32Array(images.size * dim).fill(NaN);
  let odd = 0;
  for await (const line of linesOf(path)) {
    const fields = line.split(/\s+/);
    const row = rowOf.get(fields[0] ?? "");
    const column = columnById.get(fields[1] ?? "");
    const certainty = fields[Math.max(3, fields.length - 2)] ?? "";
    const ok = row !== undefined && column !== undefined && /^[01]$/.test(fields[2] ?? "") && /^[1-4]$/.test(certainty);
    if (!ok) {
      throw new SyntaxError(
        `Cannot read "${path}" as its lines must be "IMAGE ATTRIBUTE PRESENT CERTAINTY TIME": got ${quoted(line)}`,
      );
    }
    if (fields.length > 5) odd++;
    data[row * dim + column] = fields[2] === "1" && +certainty >= minCertainty ? 1 : 0;
  }
  return {
    table: { data, rows: images.size, dim, columns: [...attributes.values()], names: [...images.values()] },
    odd,
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await Deno.open(path); // the stream closes it
  let rest = "";
  for await (const chunk of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield line.trim();
  }
  if (rest.trim() !== "") yield rest.trim();
}

/** Gives every image what more than half of the images of its class have. */
function takeMajority({ data, dim }: LoadedPrior, { labels, classes }: ImageDataset): void {
  if (!(labels instanceof Int32Array)) return;
  const sums = new Float64Array(classes.length * dim);
  const counts = new Float64Array(classes.length);
  labels.forEach((label, i) => {
    counts[label] = counts[label]! + 1;
    for (let c = 0; c < dim; c++) sums[label * dim + c] = sums[label * dim + c]! + data[i * dim + c]!;
  });
  labels.forEach((label, i) => {
    for (let c = 0; c < dim; c++) data[i * dim + c] = 2 * sums[label * dim + c]! > counts[label]! ? 1 : 0;
  });
}

/** The attributes of the published metadata; `Category` and `SubCategory` are what the labels are. */
const ATTRIBUTES = /^(HeelHeight|Insole|Closure|Gender|Material|ToeStyle)(\.|$)/;

function attributeColumns({ path, header }: CsvTable): number[] {
  const picked = header.flatMap((name, i) => ATTRIBUTES.test(name) ? [i] : []);
  if (picked.length > 0) return picked;
  throw new SyntaxError(`Cannot read "${path}" as it must have attributes: got ${listSome(header)}`);
}

async function readBinaryMetadata(path: string): Promise<PriorTable> {
  const table = await readCsv(path);
  const cid = columnOf(table, "CID");
  const picked = attributeColumns(table);
  const rows = [...rowsBy(table, (row) => row[cid]!)];
  const data = Float32Array.from(rows.flatMap(([, row]) => picked.map((column) => parseDecimal(row[column]!) ?? NaN)));
  const columns = picked.map((column) => table.header[column]!);
  return { data, rows: rows.length, dim: picked.length, columns, names: rows.map(([name]) => name) };
}

async function readPlainMetadata(path: string): Promise<PriorTable> {
  const table = await readCsv(path);
  const cid = columnOf(table, "CID");
  const picked = attributeColumns(table);
  const valuesOf = (row: string[]) =>
    picked.flatMap((column) =>
      row[column]!.split(";").map((value) => value.trim()).filter((value) => value !== "").map((value) =>
        `${table.header[column]}.${value}`
      )
    );
  const columns = [...new Set(table.rows.flatMap(valuesOf))].sort();
  if (columns.length === 0) {
    throw new SyntaxError(`Cannot read "${path}" as it must have attributes: got ${listSome(table.header)}`);
  }
  const index = new Map(columns.map((name, i) => [name, i]));
  const rows = [...rowsBy(table, (row) => row[cid]!)];
  const data = new Float32Array(rows.length * columns.length);
  rows.forEach(([, row], r) => {
    for (const value of valuesOf(row)) data[r * columns.length + (index.get(value) ?? 0)] = 1;
  });
  return { data, rows: rows.length, dim: columns.length, columns, names: rows.map(([name]) => name) };
}
