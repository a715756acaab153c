import { listSome } from "../files/files.ts";
import type { PriorTable } from "./_prior_table.ts";
import type { ImageDataset } from "../dataset.ts";

/**
 * Labels that are not the images' tell that the rows are not, either.
 *
 * @returns What could not be compared; null where all was.
 * @throws {TypeError} If labels differ.
 */
export function compareLabels(
  table: PriorTable,
  rows: readonly number[],
  dataset: ImageDataset,
  source: string,
): string | null {
  if (table.labelNames) return compareNames(table.labelNames, rows, dataset, source);
  const { labels } = table;
  const own = dataset.labels;
  if (!labels || own === null) return null;
  const width = own instanceof Int32Array ? 1 : dataset.classes.length;
  if (labels.rows !== table.rows || labels.width !== width) {
    return `labels of "${source}" [${labels.rows},${labels.width}] were not compared: there are ${table.rows} rows of prior and ` +
      `labels [${dataset.length},${width}] (the original wrote the labels of all CUB images beside the prior of its training images)`;
  }
  const wrong: number[] = [];
  rows.forEach((row, i) => {
    for (let c = 0; c < width; c++) {
      const [theirs, ours] = [labels.data[row * width + c]!, own[i * width + c]!];
      if (theirs !== ours && !Number.isNaN(theirs) && !Number.isNaN(ours)) return wrong.push(i);
    }
  });
  if (wrong.length > 0) throw wrongLabels(wrong, dataset, source);
  return null;
}

/** Compares class names of a file with those of the images, where all of them are names of classes. */
function compareNames(
  names: readonly string[],
  rows: readonly number[],
  { labels, classes, name, split }: ImageDataset,
  source: string,
): string | null {
  if (!(labels instanceof Int32Array)) return null;
  const plain = classes.map((each) => each.normalize("NFC"));
  const told = rows.map((row) => names[row]!.normalize("NFC"));
  const unknown = [...new Set(told).difference(new Set(["", ...plain]))];
  if (unknown.length > 0) {
    return `labels of "${source}" were not compared: ${listSome(unknown)} are no classes of "${name}" (${split})`;
  }
  const wrong = told.flatMap((each, i) => each !== "" && each !== plain[labels[i]!] ? [i] : []);
  if (wrong.length > 0) throw wrongLabels(wrong, { name, split, length: rows.length }, source);
  return null;
}

function wrongLabels(
  wrong: number[],
  { name, split, length }: Pick<ImageDataset, "name" | "split" | "length">,
  source: string,
): TypeError {
  return new TypeError(
    `Cannot use "${source}" as its labels must be those of "${name}" (${split}): ${wrong.length} of ${length} differ, ` +
      `in rows ${listSome(wrong)}`,
  );
}

/**
 * Columns that tell the class of each image, where some class has several: one whose values stand for the classes one to
 * one, and those that are 1 for the images of one class alone, as the columns of a one-hot code, where all classes, or all
 * but one, have such a column.
 */
export function leakingColumns(data: Float32Array, dim: number, { labels }: ImageDataset): number[] {
  if (!(labels instanceof Int32Array)) return [];
  const classes = new Set(labels);
  if (classes.size < 2 || classes.size === labels.length) return [];
  const all = Array.from({ length: dim }, (_, column) => column);
  const told = all.map((column) => classesOf(data, dim, column, labels));
  const marked = new Set(told.flatMap((each) => each === "all" || each === null ? [] : [each]));
  const areCode = marked.size >= classes.size - 1;
  return all.filter((column) => told[column] === "all" || (areCode && told[column] !== null));
}

/** Tells what a column says: the class of every image, which images are of one class, or neither (null). */
function classesOf(data: Float32Array, dim: number, column: number, labels: Int32Array): "all" | number | null {
  const [classesBy, valuesOf] = [new Map<number, Set<number>>(), new Map<number, Set<number>>()];
  for (let i = 0; i < labels.length; i++) {
    const [value, label] = [data[i * dim + column]!, labels[i]!];
    add(classesBy, value, label);
    if (add(valuesOf, label, value) > 1) return null; // a class has several values
  }
  if (classesBy.size === valuesOf.size) return "all";
  if (classesBy.size !== 2) return null;
  const alone = [...classesBy.values()].find(({ size }) => size === 1);
  return alone ? [...alone][0]! : null;
}

/** Adds to the set of a key, and tells how many it has. */
function add(sets: Map<number, Set<number>>, key: number, value: number): number {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(value));
  return set.size;
}
