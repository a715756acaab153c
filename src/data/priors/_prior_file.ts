import { CONTENT_BYTES, contentOf, openZip, parseJson, quoted, readAll, readNpy } from "../../formats/internal.ts";
import {
  type ByteSource,
  isNdArray,
  isStringArray,
  type NdArray,
  readFrom,
  readNpz,
  readSafetensors,
  type StringArray,
  toF32,
} from "../../formats/mod.ts";
import { type PriorFileOptions, readCsvPrior } from "./_prior_csv.ts";
import { checkScale, NAME_KEYS, type PriorTable } from "./_prior_table.ts";
import { takeRows } from "../take_rows.ts";

/** Formats of priors that their first bytes tell, whatever the file is called. */
const FORMATS: Readonly<Record<string, string>> = {
  "a NumPy array": ".npy",
  "a zip file": ".npz",
  "a safetensors file": ".safetensors",
};

/**
 * Reads a file of priors: `.npz`, `.npy` or `.safetensors` by its first bytes, and by its ending where these do not tell,
 * so that the reader of what it should be says what is wrong; or `.csv`.
 *
 * @throws {TypeError} If neither tells, or columns are named and the file is no `.csv`.
 * @throws {SyntaxError} If the file is damaged or holds no prior.
 */
export async function readPriorFile(path: string, options: PriorFileOptions = {}): Promise<PriorTable> {
  const start = await readFrom(path, (source) => source.read(0, Math.min(CONTENT_BYTES, source.size)));
  const content = contentOf(start);
  const format = FORMATS[content] ?? /\.[^./\\]+$/.exec(path)?.[0].toLowerCase() ?? "";
  if (format === ".csv") return await readCsvPrior(path, options);
  const read = READERS[format];
  if (!read) {
    throw new TypeError(`Cannot read a prior as "${path}" must be .npz, .npy, .safetensors or .csv: got ${content}`);
  }
  if (options.columns) {
    throw new TypeError(`Cannot choose columns of a prior as only a .csv file names them: got "${path}"`);
  }
  return await read(path);
}

const READERS: Readonly<Record<string, (path: string) => Promise<PriorTable>>> = {
  ".npy": async (path) => {
    const array = await readFrom(path, async (source) => readNpy(await readAll(source)));
    return toTable(path, new Map([["prior", array]]));
  },
  ".npz": async (path) => toTable(path, await readFrom(path, readArrays)),
  ".safetensors": async (path) => {
    const { tensors, metadata } = await readFrom(path, async (source) => readSafetensors(await readAll(source)));
    const names = metadata.paths === undefined ? undefined : parseNames(path, metadata.paths);
    const table = toTable(path, tensors);
    if (names === undefined) return table;
    const texts = { dtype: "string", shape: [names.length], data: names } as const;
    return { ...table, names: textsOf(path, texts, table.rows, "name") };
  },
};

/** Reads the arrays that a prior may have; all of them where there is none, for the message. */
async function readArrays(source: ByteSource): Promise<Map<string, NdArray | StringArray>> {
  const found = [...(await openZip(source)).entries.keys()].map((name) => name.replace(/\.npy$/, ""));
  const known = ["prior", "labels", ...NAME_KEYS].filter((name) => found.includes(name));
  return await readNpz(source, known.includes("prior") ? { names: known } : {});
}

function toTable(path: string, arrays: Map<string, NdArray | StringArray>): PriorTable {
  const prior = arrays.get("prior");
  if (!isNdArray(prior) || prior.shape.length < 1 || prior.shape.length > 3) {
    const found = [...arrays].map(([name, array]) => `${quoted(name)} ${array.dtype} [${array.shape}]`).slice(0, 8)
      .join(", ");
    throw new SyntaxError(
      `Cannot read "${path}" as it must hold an array "prior" of shape [n,dim], [n] or [n,k,dim]: got ${
        found || "none"
      }`,
    );
  }
  if (prior.shape.slice(1).includes(0)) {
    throw new SyntaxError(`Cannot read "${path}" as its rows must have values: got [${prior.shape}]`);
  }
  const { data, rows, width } = firstOfEach(prior);
  const labels = arrays.get("labels");
  const key = NAME_KEYS.find((name) => isStringArray(arrays.get(name)));
  const names = key === undefined ? undefined : arrays.get(key);
  checkScale(path, prior.data, prior.data.length / Math.max(1, rows));
  return {
    data,
    rows,
    dim: width,
    ...(isNdArray(labels) && labels.shape.length > 0 ? { labels: firstOfEach(labels) } : {}),
    ...(isStringArray(labels) ? { labelNames: textsOf(path, labels, rows, "label") } : {}),
    ...(isStringArray(names) ? { names: textsOf(path, names, rows, "name") } : {}),
  };
}

/** Texts beside the rows; more or fewer of them belong to other rows. */
function textsOf(path: string, { data, shape }: StringArray, rows: number, what: string): string[] {
  if (data.length === rows) return [...data];
  throw new SyntaxError(`Cannot read "${path}" as it must have a ${what} for each of its ${rows} rows: got [${shape}]`);
}

/**
 * Flattens an array to rows: `[n]` is `[n, 1]`, and of `[n, k, d]` the first of each k is taken, as the original does.
 */
function firstOfEach(array: NdArray): { data: Float32Array<ArrayBuffer>; rows: number; width: number } {
  const [rows = 0, second = 1, third] = array.shape;
  const values = toF32(array);
  if (third === undefined) return { data: values, rows, width: second };
  const first = Array.from({ length: rows }, (_, row) => row * second);
  return { data: takeRows(values, third, first), rows, width: third };
}

function parseNames(path: string, text: string): string[] {
  try {
    const names = parseJson(text, "names");
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  } catch {
    // told below
  }
  throw new SyntaxError(`Cannot read "${path}" as its metadata "paths" must be a list of names in JSON`);
}
