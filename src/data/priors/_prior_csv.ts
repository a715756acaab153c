import { parseDecimal, quoted } from "../../formats/internal.ts";
import { columnOf, type CsvTable, readCsv } from "../files/csv.ts";
import { listSome } from "../files/files.ts";
import { isIndex, isLabel, isSplit, numbersRows, plain } from "./_column_roles.ts";
import { checkScale, NAME_KEYS, type PriorTable } from "./_prior_table.ts";

/** Options of reading a file of priors. */
export interface PriorFileOptions {
  /** Names of the columns of a `.csv` that are the prior. */
  columns?: readonly string[];
  /** Names of the classes: a column of a `.csv` that is called so is a label. */
  classes?: readonly string[];
}

/** Columns by their purpose, as indices of the header. */
interface Roles {
  /** Column of the image's name; -1 where there is none. */
  name: number;
  /** Column of the image's class; -1 where there is none. */
  label: number;
  /** Columns of attributes. */
  used: number[];
  /** Whether a person or the original's naming said that these are attributes. */
  certain: boolean;
}

/**
 * Reads a prior from CSV. Attributes are the columns that are named, or else those with `attr_val` in their names, or
 * else all but names of images, labels, splits and row numbers, which are told by their headers and values.
 *
 * @throws {SyntaxError} If no column is left, a named one is absent, or one holds what is no number.
 */
export async function readCsvPrior(path: string, options: PriorFileOptions = {}): Promise<PriorTable> {
  const table = await readCsv(path);
  const { header, rows } = table;
  const { name, label, used, certain } = rolesOf(table, options);
  if (used.length === 0) {
    throw new SyntaxError(
      `Cannot read "${path}" as it must have a column of values: got none besides ${listSome(header)}`,
    );
  }
  const values = new Float64Array(rows.length * used.length);
  rows.forEach((row, r) =>
    used.forEach((column, c) => values[r * used.length + c] = parseValue(path, header[column]!, row[column]!, r))
  );
  checkScale(path, values, used.length);
  return {
    data: Float32Array.from(values),
    rows: rows.length,
    dim: used.length,
    columns: used.map((column) => header[column]!),
    certain,
    note: (kept) => {
      const taken = new Set(kept);
      const left = header.filter((each, i) => !taken.has(each) && i !== name);
      return `columns of "${path}" that are the prior: ${listSome([...kept], 8)}` +
        (left.length > 0 ? `; left out: ${listSome(left, 8)}` : "");
    },
    ...labelsOf(table, label),
    ...(name < 0 ? {} : { names: rows.map((row) => row[name]!) }),
  };
}

function rolesOf(table: CsvTable, { columns, classes = [] }: PriorFileOptions): Roles {
  const { header } = table;
  const names = header.map(plain);
  const name = NAME_KEYS.map((key) => names.indexOf(plain(key))).find((index) => index >= 0) ?? -1;
  const coordinates = names.includes("x") && names.includes("y"); // "y" is then a place in the picture
  const labels = new Set(header.keys().filter((i) => i !== name && isLabel(header[i]!, coordinates)));
  const label = labels.values().find((i) => /^labels?$/i.test(header[i]!.trim())) ?? [...labels][0] ?? -1;
  if (columns) {
    const places = new Map(header.map((each, i) => [each, i]));
    const used = columns.map((each) => places.get(each) ?? columnOf(table, each));
    const seen = new Set<string>();
    const twice = columns.filter((each) => seen.size === seen.add(each).size);
    if (twice.length > 0) {
      throw new TypeError(`Cannot choose columns of a prior as none may be named twice: got ${listSome(twice)} twice`);
    }
    return { name, label: used.includes(label) ? -1 : label, used, certain: true };
  }
  const attributes = header.flatMap((each, i) => each.includes("attr_val") ? [i] : []);
  if (attributes.length > 0) return { name, label, used: attributes, certain: true };
  const known = new Set([...NAME_KEYS, ...classes].map(plain));
  const used = header.flatMap((each, i) => {
    return i === name || labels.has(i) || known.has(names[i]!) || isIndex(each) || isSplit(each) ? [] : [i];
  });
  return { name, label, used: used.filter((i) => !numbersRows(table.rows.map((row) => row[i]!))), certain: false };
}

/** Reads the column of labels: names of classes, or numbers, which only "label" says to be those of the data set. */
function labelsOf({ header, rows }: CsvTable, column: number): Pick<PriorTable, "labels" | "labelNames"> {
  if (column < 0) return {};
  const texts = rows.map((row) => row[column]!.trim());
  const labels = texts.map((text) => isBlank(text) ? NaN : parseDecimal(text));
  if (labels.some((label) => label === null)) return { labelNames: texts };
  if (!/^labels?$/i.test(header[column]!.trim())) return {};
  return { labels: { data: Float32Array.from(labels as number[]), rows: rows.length, width: 1 } };
}

function isBlank(text: string): boolean {
  return /^(nan|na|n\/a|null|none)?$/i.test(text.trim());
}

/** A number; blank is NaN, which is refused later with its row. */
function parseValue(path: string, column: string, text: string, row: number): number {
  if (isBlank(text)) return NaN;
  if (/^(true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === "true" ? 1 : 0;
  const value = parseDecimal(text);
  if (value !== null) return value;
  throw new SyntaxError(
    `Cannot read "${path}" as column ${quoted(column)} must hold numbers: got ${listSome([text])} in row ${row} ` +
      "(name the columns that are the prior, where this one is not)",
  );
}
