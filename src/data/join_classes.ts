import { listSome } from "./files/files.ts";
import type { ClassLabels, ImageDataset, Labels, MultiLabels } from "./dataset.ts";

/**
 * Gives a data set the list of classes of another: labels are joined by the names of the classes, never by their numbers.
 *
 * Two lists that were made apart, such as those of the folders `train` and `test`, number a class differently as soon as one of
 * them lacks a class. Names are compared in Unicode's composed form (NFC), so that a folder which macOS wrote is found again.
 *
 * @param dataset The data set, such as the test set; it is left as it is. Labels of one class, or of several columns.
 * @param classes The classes to number by, such as those of the training set.
 * @returns The data set with `classes` and with labels that are indices of them (or columns in their order, NaN where
 *   `dataset` has no such column). A note names the classes that no image has.
 * @throws {TypeError} If the data set has no labels, or a name comes twice in a list.
 * @throws {RangeError} If an image has, or a column is, a class that is not among `classes`.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { joinClasses, type PixelDataset } from "@decoupled/uniformity/data";
 *
 * const test: PixelDataset = {
 *   name: "fruit",
 *   split: "test",
 *   length: 2,
 *   classes: ["banana", "plum"],
 *   labels: Int32Array.of(0, 1),
 *   pixels: { data: new Uint8Array(6), height: 1, width: 1 },
 *   mean: [0.5, 0.5, 0.5],
 *   std: [0.5, 0.5, 0.5],
 *   resolution: 1,
 *   notes: [],
 * };
 *
 * const joined = joinClasses(test, ["apple", "banana", "plum"]);
 *
 * assertEquals(joined.labels, Int32Array.of(1, 2));
 * assertEquals(joined.notes, ['"fruit" (test): 1 of 3 classes has no image: "apple"']);
 * ```
 */
export function joinClasses<D extends ImageDataset>(dataset: D, classes: readonly string[]): D {
  const { labels } = dataset;
  if (labels === null) {
    throw new TypeError(`Cannot join the classes of ${nameOf(dataset)} as it has no labels`);
  }
  const ranks = rankOf(classes, `those of ${nameOf(dataset)} are joined with`);
  rankOf(dataset.classes, `${nameOf(dataset)} has`);
  const order = dataset.classes.map((name) => ranks.get(name.normalize("NFC")) ?? -1);
  const joined: Labels = labels instanceof Int32Array
    ? joinLabels(dataset, labels, order)
    : joinColumns(dataset, labels, order, classes.length);
  const absent = absentClasses(joined, classes, dataset);
  const note = `${nameOf(dataset)}: ${absent.length} of ${classes.length} classes ${
    absent.length === 1 ? "has" : "have"
  } no image: ${listSome(absent)}`;
  return {
    ...dataset,
    classes: [...classes],
    labels: joined,
    notes: absent.length === 0 || dataset.notes.includes(note) ? dataset.notes : [...dataset.notes, note],
  };
}

function nameOf({ name, split }: ImageDataset): string {
  return `"${name}" (${split})`;
}

function rankOf(classes: readonly string[], what: string): Map<string, number> {
  const ranks = new Map(classes.map((name, i) => [name.normalize("NFC"), i]));
  if (ranks.size === classes.length) return ranks;
  const twice = classes.filter((name, i) => ranks.get(name.normalize("NFC")) !== i);
  throw new TypeError(`Cannot join classes by name as no name may come twice: ${what} ${listSome(twice)} twice`);
}

function joinLabels(dataset: ImageDataset, labels: ClassLabels, order: readonly number[]): ClassLabels {
  const unknown = new Set<string>();
  const joined = Int32Array.from(labels, (label) => {
    const to = order[label];
    if (to === undefined) {
      throw new RangeError(
        `Cannot join the classes of ${nameOf(dataset)} as every label must be in [0, ${order.length}): got ${label}`,
      );
    }
    if (to < 0) unknown.add(dataset.classes[label]!);
    return to;
  });
  if (unknown.size > 0) throw unknownClasses(dataset, [...unknown]);
  return joined;
}

function joinColumns(
  dataset: ImageDataset,
  labels: MultiLabels,
  order: readonly number[],
  width: number,
): MultiLabels {
  const unknown = dataset.classes.filter((_, i) => order[i]! < 0);
  if (unknown.length > 0) throw unknownClasses(dataset, unknown);
  const joined = new Float32Array(dataset.length * width).fill(NaN);
  for (let i = 0; i < dataset.length; i++) {
    order.forEach((to, from) => joined[i * width + to] = labels[i * order.length + from]!);
  }
  return joined;
}

function unknownClasses(dataset: ImageDataset, unknown: string[]): RangeError {
  return new RangeError(
    `Cannot join the classes of ${nameOf(dataset)} as all must be classes of the training set: ${
      listSome(unknown.sort())
    } ${unknown.length === 1 ? "is" : "are"} not`,
  );
}

/** Classes that no image has; of several columns, those of which nothing is known. */
function absentClasses(labels: ClassLabels | MultiLabels, classes: readonly string[], { length }: ImageDataset) {
  const seen = new Set<number>();
  if (labels instanceof Int32Array) { for (const label of labels) seen.add(label); }
  else {
    const width = classes.length;
    for (let at = 0; at < length * width; at++) if (!Number.isNaN(labels[at])) seen.add(at % width);
  }
  return classes.filter((_, i) => !seen.has(i));
}
