/** A CSV file: its header, and its rows as texts. */
export interface CsvTable {
  path: string;
  header: string[];
  rows: string[][];
}

/**
 * Reads a CSV file (RFC 4180; comma, quotes, CRLF or LF, a byte-order mark is dropped).
 *
 * @throws {SyntaxError} If a row has more or fewer fields than the header, or a quote is not closed.
 */
export async function readCsv(path: string): Promise<CsvTable> {
  const text = await Deno.readTextFile(path);
  const { parse } = await import("csv-parse/sync");
  try {
    const [header, ...rows] = parse(text, { bom: true, skip_empty_lines: true });
    if (!header) throw new Error("the file is empty");
    return { path, header, rows };
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}": ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/**
 * Where a column is.
 *
 * @throws {SyntaxError} If there is none of that name.
 */
export function columnOf(table: CsvTable, name: string): number {
  const index = table.header.indexOf(name);
  if (index >= 0) return index;
  const header = table.header.slice(0, 20).map((each) => `"${each}"`).join(", ");
  throw new SyntaxError(`Cannot read "${table.path}" as it must have a column "${name}": its columns are ${header}`);
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
      throw new SyntaxError(`Cannot read "${table.path}" as no row may come twice: got "${name}" twice`);
    }
    rows.set(name, row);
  }
  return rows;
}
