import { listSome } from "../files/files.ts";
import { compareLabels, leakingColumns } from "./_prior_labels.ts";
import type { PriorTable } from "./_prior_table.ts";
import type { ImageDataset, PriorRows } from "../dataset.ts";
import { takeRows } from "../take_rows.ts";

/** A prior whose rows are those of a data set. */
export interface LoadedPrior extends PriorRows {
  /** Rows of the file that belong to no image, by name; they are not used. */
  unmatched: string[];
  /** Notes for people, such as on what could not be compared. */
  notes: string[];
}

/** Keys that identify an image by its name, from the strictest to the loosest. */
const KEYS: readonly ((name: string) => string)[] = [
  (name) => parts(name).join("/"),
  (name) => parts(name).slice(-2).join("/"),
  (name) => parts(name).slice(-1).join("/"),
  // UT-Zappos: 100627.72.jpg is 100627-72
  (name) => parts(name).slice(-1).join("/").replace(/\.[A-Za-z]+$/, "").replaceAll(".", "-"),
];

/** Parts of a path, whatever system wrote it: composed (NFC), as macOS may decompose names. */
function parts(name: string): string[] {
  return name.normalize("NFC").replaceAll("\\", "/").replace(/^\.\//, "").split("/");
}

/**
 * Puts the rows of a table into the order of a data set: by name where both have names, else as they come. Row count,
 * labels and values are checked. `wholeSet`: the table is of all splits, so that rows without an image are not reported.
 */
export function joinPrior(
  table: PriorTable,
  dataset: ImageDataset,
  source: string,
  { wholeSet = false }: { wholeSet?: boolean } = {},
): LoadedPrior {
  const notes: string[] = [];
  const { order, unmatched } = table.names && dataset.paths
    ? matchNames(table.names, dataset.paths, source)
    : { order: null, unmatched: [] };
  if (order === null) {
    if (table.rows !== dataset.length) throw wrongCount(table, dataset, source);
    notes.push(
      `"${source}" has no file names that can be compared: its rows are taken to be in the order of the images`,
    );
  }
  if (unmatched.length > 0 && !wholeSet) {
    notes.push(
      `${unmatched.length} of ${table.rows} rows of "${source}" belong to no image and are not used: ${
        listSome(unmatched)
      }`,
    );
  }
  const rows = order ?? Array.from({ length: dataset.length }, (_, i) => i);
  const note = compareLabels(table, rows, dataset, source);
  if (note) notes.push(note);
  const gathered = takeRows(table.data, table.dim, rows);
  const joined = wholeSet // published attributes
    ? { data: gathered, dim: table.dim, ...(table.columns ? { columns: table.columns } : {}) }
    : withoutLeaks(gathered, table, dataset, { source, notes });
  if (table.note) notes.unshift(table.note(joined.columns ?? []));
  checkFiniteRows(joined.data, joined.dim, source, dataset.paths);
  return {
    ...joined,
    unmatched: wholeSet ? [] : unmatched,
    notes,
  };
}

/**
 * Columns that tell the classes are the labels, not knowledge beside them: a note says so, and where nobody said that
 * they are attributes, they are left out.
 *
 * @throws {SyntaxError} If no other column is left.
 */
function withoutLeaks(
  data: Float32Array<ArrayBuffer>,
  { dim, columns, certain }: PriorTable,
  dataset: ImageDataset,
  { source, notes }: { source: string; notes: string[] },
): PriorRows {
  const leaks = leakingColumns(data, dim, dataset);
  const all = { data, dim, ...(columns ? { columns } : {}) };
  if (leaks.length === 0) return all;
  const what = `${leaks.length === 1 ? "column" : "columns"} ${
    listSome(leaks.map((i) => columns?.[i] ?? i))
  } of "${source}"`;
  const tell = leaks.length === 1 ? "tells" : "tell";
  if (columns === undefined || certain) {
    notes.push(`${what} ${tell} the class of each image: learning from the prior is then learning from labels`);
    return all;
  }
  const leaking = new Set(leaks);
  const kept = columns.flatMap((_, i) => leaking.has(i) ? [] : [i]);
  if (kept.length === 0) {
    throw new SyntaxError(
      `Cannot use "${source}" as a prior must not be the labels: ${what} ${tell} the class of each image`,
    );
  }
  notes.push(`${what} ${tell} the class of each image and ${leaks.length === 1 ? "is" : "are"} left out`);
  const rows = data.length / dim;
  const picked = Float32Array.from(
    { length: rows * kept.length },
    (_, i) => data[Math.floor(i / kept.length) * dim + kept[i % kept.length]!]!,
  );
  return { data: picked, dim: kept.length, columns: kept.map((i) => columns[i]!) };
}

function wrongCount(table: PriorTable, dataset: ImageDataset, source: string): TypeError {
  return new TypeError(
    `Cannot use "${source}" as it must have a row for each image of "${dataset.name}" (${dataset.split}): got ` +
      `${table.rows} rows and ${dataset.length} images`,
  );
}

/**
 * Finds the row of each image, by the first kind of name that all images and rows have uniquely; else by the one that
 * fits best.
 */
function matchNames(
  names: string[],
  paths: string[],
  source: string,
): { order: number[]; unmatched: string[] } {
  let best: { rows: number[]; missing: number } | null = null;
  const images = new Set(paths).size; // a list may name an image twice
  for (const key of KEYS) {
    const index = new Map(names.map((name, row) => [key(name), row]));
    const keys = paths.map(key);
    if (index.size < names.length || new Set(keys).size < images) continue; // not unique
    const rows = keys.map((each) => index.get(each) ?? -1);
    const missing = rows.filter((row) => row < 0).length;
    if (best === null || missing < best.missing) best = { rows, missing };
    if (missing === 0) break;
  }
  if (best === null) {
    const twice = firstTwice(names) ?? firstTwice([...new Set(paths)]) ?? names[0]!;
    throw new SyntaxError(`Cannot use "${source}" as no file name may come twice: got ${listSome([twice])} twice`);
  }
  if (best.missing > 0) {
    const absent = paths.filter((_, i) => best.rows[i]! < 0);
    throw new TypeError(
      `Cannot use "${source}" as each image must have a row: ${best.missing} of ${paths.length} have none: ${
        listSome(absent)
      }; ` +
        `its names look like ${listSome(names.slice(0, 1))}`,
    );
  }
  const used = new Set(best.rows);
  return { order: best.rows, unmatched: names.filter((_, row) => !used.has(row)) };
}

/** Finds the first name that comes again, whatever system wrote it. */
function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(KEYS[0]!(name)).size);
}

/**
 * Refuses NaN and infinity, with the rows that hold them.
 *
 * @throws {RangeError} If there are any.
 */
export function checkFiniteRows(data: Float32Array, dim: number, source: string, paths?: string[]): void {
  const rows: number[] = [];
  for (let row = 0; row * dim < data.length; row++) {
    if (!data.subarray(row * dim, (row + 1) * dim).every(Number.isFinite)) rows.push(row);
  }
  if (rows.length === 0) return;
  const names = paths ? ` (${listSome(rows.slice(0, 2).map((row) => paths[row] ?? ""))})` : "";
  throw new RangeError(
    `Cannot use "${source}" as a prior must be finite: NaN or infinity in ${rows.length} rows: ${
      listSome(rows)
    }${names}`,
  );
}
