import { escapeCommands, parseDecimal } from "../../formats/internal.ts";
import { listSome, readText } from "./files.ts";

/** A CSV file: its header, and its rows as texts. */
export interface CsvTable {
  path: string;
  header: string[];
  rows: string[][];
}

/**
 * Reads a CSV file (RFC 4180; comma, quotes, CRLF or LF, UTF-8; a byte-order mark and blanks around names of columns are dropped).
 *
 * @throws {SyntaxError} If the first line is of numbers, there is no row below it, two columns have one name, a row has
 *   more or fewer fields than the header, a quote is not closed, or the file is not UTF-8.
 */
export async function readCsv(path: string): Promise<CsvTable> {
  const [first, ...rows] = await parseCsv(path, await readText(path));
  const header = first?.map((name) => name.trim());
  if (!header) throw new SyntaxError(`Cannot read "${path}": the file is empty`);
  const [only = ""] = header;
  if (header.length === 1 && /[;\t|]/.test(only)) {
    throw new SyntaxError(`Cannot read "${path}" as its columns must be separated by commas: got ${listSome([only])}`);
  }
  if (isRow(header)) {
    throw new SyntaxError(`Cannot read "${path}" as its first line must name the columns: got ${listSome(header)}`);
  }
  const seen = new Set<string>();
  const twice = header.filter((name) => name !== "" && seen.size === seen.add(name).size);
  if (twice.length > 0) {
    throw new SyntaxError(`Cannot read "${path}" as no two columns may have one name: got ${listSome(twice)} twice`);
  }
  if (rows.length === 0) throw new SyntaxError(`Cannot read "${path}" as it must have rows: got a header only`);
  return { path, header, rows };
}

/** Whether a line is a row of numbers and no header: pandas calls columns without names 0, 1, 2, … */
function isRow(fields: readonly string[]): boolean {
  const values = fields.filter((field) => field !== "" && !/^nan?$/i.test(field)).map(parseDecimal);
  return values.length > 0 && values.every((value) => value !== null) && values.some((value, i) => value !== i);
}

async function parseCsv(path: string, text: string): Promise<string[][]> {
  const { parse } = await import("csv-parse/sync");
  try {
    return parse(text, { bom: true, skip_empty_lines: true, record_delimiter: ["\r\n", "\n", "\r"] });
  } catch (cause) {
    const reason = escapeCommands(cause instanceof Error ? cause.message : `${cause}`).slice(0, 300);
    throw new SyntaxError(`Cannot read "${path}": ${reason}`, { cause });
  }
}

/**
 * Finds a column by its name.
 *
 * @throws {SyntaxError} If there is none of that name.
 */
export function columnOf(table: CsvTable, name: string): number {
  const index = table.header.indexOf(name);
  if (index >= 0) return index;
  throw new SyntaxError(
    `Cannot read "${table.path}" as it must have a column "${name}": its columns are ${listSome(table.header, 20)}`,
  );
}

/**
 * The rows by what stands in one column.
 *
 * @throws {SyntaxError} If something stands there twice.
 */
export function rowsBy(table: CsvTable, key: (row: string[]) => string): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  for (const row of table.rows) {
    const name = key(row);
    if (rows.has(name)) {
      throw new SyntaxError(`Cannot read "${table.path}" as no row may come twice: got ${listSome([name])} twice`);
    }
    rows.set(name, row);
  }
  return rows;
}
