import {
  isNdArray,
  isStringArray,
  type NdArray,
  readAll,
  readFrom,
  readNpy,
  readNpz,
  readSafetensors,
  type StringArray,
  toF32,
} from "../formats/mod.ts";
import { readCsv } from "./_csv.ts";

/** What a file of priors holds, before it is joined with a data set. */
export interface PriorTable {
  /** Values `[rows, dim]`. */
  data: Float32Array<ArrayBuffer>;
  rows: number;
  dim: number;
  columns?: string[];
  /** Labels `[rows, width]`. */
  labels?: { data: Float32Array<ArrayBuffer>; rows: number; width: number };
  /** Name of the image of each row. */
  names?: string[];
}

const NAME_KEYS = ["paths", "path", "names", "name", "files", "file", "filenames", "filename", "image", "CID"];

/**
 * Reads a file of priors by its ending: `.npz`, `.npy`, `.safetensors` or `.csv`.
 *
 * @throws {TypeError} If the ending is another one.
 * @throws {SyntaxError} If the file is damaged or holds no prior.
 */
export async function readPriorFile(path: string): Promise<PriorTable> {
  const ending = /\.[^./\\]+$/.exec(path)?.[0].toLowerCase() ?? "";
  if (ending === ".csv") return await readCsvPrior(path);
  if (ending === ".npy") {
    const array = await readFrom(path, async (source) => readNpy(await readAll(source)));
    return toTable(path, new Map([["prior", array]]));
  }
  if (ending === ".npz") return toTable(path, await readFrom(path, (source) => readNpz(source)));
  if (ending === ".safetensors") {
    const { tensors, metadata } = await readFrom(path, async (source) => readSafetensors(await readAll(source)));
    const names = metadata.paths === undefined ? undefined : parseNames(path, metadata.paths);
    return { ...toTable(path, tensors), ...(names ? { names } : {}) };
  }
  throw new TypeError(`Cannot read a prior as the file must end in .npz, .npy, .safetensors or .csv: got "${path}"`);
}

function toTable(path: string, arrays: Map<string, NdArray | StringArray>): PriorTable {
  const prior = arrays.get("prior");
  if (!isNdArray(prior) || prior.shape.length < 1 || prior.shape.length > 3) {
    const found = [...arrays].map(([name, array]) => `"${name}" ${array.dtype} [${array.shape}]`).join(", ");
    throw new SyntaxError(
      `Cannot read "${path}" as it must hold an array "prior" of shape [n,dim], [n] or [n,k,dim]: got ${
        found || "none"
      }`,
    );
  }
  const { data, rows, width } = firstOfEach(prior);
  const labels = arrays.get("labels");
  const key = NAME_KEYS.find((name) => isStringArray(arrays.get(name)));
  const names = key === undefined ? undefined : arrays.get(key);
  return {
    data,
    rows,
    dim: width,
    ...(isNdArray(labels) && labels.shape.length > 0 ? { labels: firstOfEach(labels) } : {}),
    ...(isStringArray(names) ? { names: [...names.data] } : {}),
  };
}

/** `[n]` is `[n, 1]`, and of `[n, k, d]` the first of each k is taken, as the original does. */
function firstOfEach(array: NdArray): { data: Float32Array<ArrayBuffer>; rows: number; width: number } {
  const [rows = 0, second = 1, third] = array.shape;
  const values = toF32(array);
  if (third === undefined) return { data: values, rows, width: second };
  const data = new Float32Array(rows * third);
  for (let row = 0; row < rows; row++) {
    data.set(values.subarray(row * second * third, row * second * third + third), row * third);
  }
  return { data, rows, width: third };
}

function parseNames(path: string, text: string): string[] {
  try {
    const names = JSON.parse(text);
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  } catch {
    // told below
  }
  throw new SyntaxError(`Cannot read "${path}" as its metadata "paths" must be a list of names in JSON`);
}

/** Columns `attr_val…` where there are any, else all that are neither names nor labels. */
async function readCsvPrior(path: string): Promise<PriorTable> {
  const { header, rows } = await readCsv(path);
  const nameColumn = NAME_KEYS.map((key) => header.indexOf(key)).find((index) => index >= 0) ?? -1;
  const labelColumn = header.findIndex((name) => name === "label" || name === "labels");
  const attributes = header.flatMap((name, i) => name.includes("attr_val") ? [i] : []);
  const picked = attributes.length > 0
    ? attributes
    : header.flatMap((name, i) => i === nameColumn || i === labelColumn || NAME_KEYS.includes(name) ? [] : [i]);
  if (picked.length === 0) throw new SyntaxError(`Cannot read "${path}" as it must have a column of values: got none`);
  const data = new Float32Array(rows.length * picked.length);
  rows.forEach((row, r) =>
    picked.forEach((column, c) => data[r * picked.length + c] = parseValue(path, header[column]!, row[column]!, r))
  );
  const labels = labelColumn < 0 ? [] : rows.map((row) => row[labelColumn] === "" ? NaN : Number(row[labelColumn]));
  const comparable = labelColumn >= 0 && labels.every((label) => Number.isInteger(label)); // names of classes are not compared
  return {
    data,
    rows: rows.length,
    dim: picked.length,
    columns: picked.map((column) => header[column]!),
    ...(comparable ? { labels: { data: Float32Array.from(labels), rows: rows.length, width: 1 } } : {}),
    ...(nameColumn < 0 ? {} : { names: rows.map((row) => row[nameColumn]!) }),
  };
}

/** A number; blank is NaN, which is refused later with its row. */
function parseValue(path: string, column: string, text: string, row: number): number {
  if (text === "" || /^nan$/i.test(text)) return NaN;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true" ? 1 : 0;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  throw new SyntaxError(`Cannot read "${path}" as column "${column}" must hold numbers: got "${text}" in row ${row}`);
}
