import { join } from "node:path";
import { chainGlobals, numpyGlobals, pythonGlobals, readAll, unpickle } from "../../formats/internal.ts";
import { isNdArray, isStringArray, type PickleValue, readFrom } from "../../formats/mod.ts";
import { type CifarLayout, type CifarRows, planesToChannelsLast } from "./_cifar_binary.ts";
import { isFile } from "../files/files.ts";

const IMAGE = 3 * 32 * 32;

/** NumPy arrays, and `bytes` as Python 3 spells them in protocols 0 to 2. */
const GLOBALS = chainGlobals(numpyGlobals, pythonGlobals);

/** Keys of the pickled dictionaries, which differ between CIFAR-10 and CIFAR-100. */
export interface CifarKeys {
  labels: string;
  classes: string;
}

interface Batch {
  data: Uint8Array;
  labels: number[];
  /** File names; some who pickle CIFAR again leave them out. */
  names: string[] | null;
}

/**
 * Reads the Python layout: pickled dictionaries of `data` (bytes `[n, 3072]` or `[n, 3, 32, 32]`), labels and, where they are, file
 * names; of any protocol. The pickles are read by a reader that executes nothing and accepts NumPy arrays only.
 *
 * @throws {SyntaxError} If a file is damaged, is not such a dictionary, or holds a label that is no class.
 * @throws {Deno.errors.NotFound} If a file is absent.
 */
export async function readCifarPython(
  folder: string,
  layout: CifarLayout,
  options: { split: "train" | "test"; keys: CifarKeys },
): Promise<CifarRows> {
  const metaPath = join(folder, layout.classesFile);
  const classes = readTexts(metaPath, await readDict(metaPath), options.keys.classes);
  const batches: Batch[] = [];
  for (const name of layout[options.split]) {
    batches.push(await readBatch(join(folder, name), options.keys, classes.length));
  }
  const labels = Int32Array.from(batches.flatMap((batch) => batch.labels));
  const data = new Uint8Array(labels.length * IMAGE);
  let row = 0;
  for (const batch of batches) {
    for (let at = 0; at < batch.data.length; at += IMAGE, row++) {
      planesToChannelsLast(batch.data.subarray(at, at + IMAGE), data.subarray(row * IMAGE));
    }
  }
  const names = batches.map((batch) => batch.names);
  return { data, labels, classes, ...(names.every((each) => each !== null) ? { paths: names.flat() } : {}) };
}

async function readDict(path: string): Promise<Map<PickleValue, PickleValue>> {
  if (!await isFile(path)) throw new Deno.errors.NotFound(`Cannot read "${path}": the file is absent`);
  const value = await readFrom(path, async (source) => unpickle(await readAll(source), { globals: GLOBALS }));
  if (value instanceof Map) return value;
  throw new SyntaxError(`Cannot read "${path}" as it must be a pickled dictionary`);
}

async function readBatch(path: string, keys: CifarKeys, classes: number): Promise<Batch> {
  const dict = await readDict(path);
  const data = dict.get("data");
  const sizes = isNdArray(data) ? data.shape.slice(1) : [];
  if (!isNdArray(data) || data.dtype !== "u8" || !["3072", "3,32,32"].includes(`${sizes}`)) {
    const got = isNdArray(data) ? `${data.dtype} [${data.shape}]` : "none";
    throw new SyntaxError(`Cannot read "${path}" as "data" must be an array u8 [n,${IMAGE}]: got ${got}`);
  }
  const labels = readNumbers(path, dict, keys.labels);
  const names = dict.has("filenames") ? readTexts(path, dict, "filenames") : null;
  if (labels.length !== data.shape[0] || (names !== null && names.length !== data.shape[0])) {
    throw new SyntaxError(
      `Cannot read "${path}" as there must be a label and a name for each image: got ${data.shape[0]} images, ` +
        `${labels.length} labels and ${names?.length ?? "no"} names`,
    );
  }
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new SyntaxError(`Cannot read "${path}": it has label ${wrong} but there are ${classes} classes`);
  }
  return { data: data.data, labels, names };
}

function readNumbers(path: string, dict: Map<PickleValue, PickleValue>, key: string): number[] {
  const value = dict.get(key);
  const list = isNdArray(value) ? Array.from<number | bigint>(value.data) : Array.isArray(value) ? value : null;
  const numbers = list?.map((each) => typeof each === "bigint" ? Number(each) : each);
  if (numbers?.every((each) => typeof each === "number")) return numbers;
  throw new SyntaxError(`Cannot read "${path}" as "${key}" must be a list of numbers`);
}

function readTexts(path: string, dict: Map<PickleValue, PickleValue>, key: string): string[] {
  const value = dict.get(key);
  const list = isStringArray(value) ? [...value.data] : Array.isArray(value) ? value : null;
  const texts = list?.map((each) => each instanceof Uint8Array ? new TextDecoder().decode(each) : each);
  if (texts?.every((each) => typeof each === "string")) return texts;
  throw new SyntaxError(`Cannot read "${path}" as "${key}" must be a list of texts`);
}
