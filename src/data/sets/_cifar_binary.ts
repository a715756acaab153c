import { join } from "node:path";
import { isFile, readLines } from "../files/files.ts";

/** Images and labels as they come out of CIFAR's files. */
export interface CifarRows {
  /** Bytes `[n, 32, 32, 3]`. */
  data: Uint8Array<ArrayBuffer>;
  /** Class of each image. */
  labels: Int32Array<ArrayBuffer>;
  /** Names of the classes. */
  classes: string[];
  /** File names that the Python layout carries. */
  paths?: string[];
}

/** Layout of the files of one CIFAR. */
export interface CifarLayout {
  train: readonly string[];
  test: readonly string[];
  classesFile: string;
}

const PLANE = 32 * 32;
const IMAGE = 3 * PLANE;

/** Planes of red, green and blue, as all CIFAR files have them, to channels last. */
export function planesToChannelsLast(planes: Uint8Array, out: Uint8Array): void {
  for (let i = 0, to = 0; i < PLANE; i++, to += 3) {
    out[to] = planes[i]!;
    out[to + 1] = planes[PLANE + i]!;
    out[to + 2] = planes[2 * PLANE + i]!;
  }
}

/**
 * Reads the binary layout: records of `labelBytes` label bytes (the last one counts: CIFAR-100 has the coarse label
 * before the fine one) and 3,072 pixel bytes.
 *
 * @throws {SyntaxError} If a file is cut off or holds a label that is no class.
 * @throws {Deno.errors.NotFound} If a file is absent.
 */
export async function readCifarBinary(
  folder: string,
  layout: CifarLayout,
  options: { split: "train" | "test"; labelBytes: number },
): Promise<CifarRows> {
  const classes = await readLines(join(folder, layout.classesFile));
  const names = layout[options.split];
  const record = options.labelBytes + IMAGE;
  const files: Uint8Array<ArrayBuffer>[] = [];
  for (const name of names) files.push(await readRecords(join(folder, name), record));
  const count = files.reduce((sum, file) => sum + file.length / record, 0);
  const data = new Uint8Array(count * IMAGE);
  const labels = new Int32Array(count);
  let row = 0;
  files.forEach((file, index) => {
    for (let at = 0; at < file.length; at += record, row++) {
      const label = file[at + options.labelBytes - 1]!;
      if (label >= classes.length) {
        throw new SyntaxError(
          `Cannot read "${join(folder, names[index]!)}": record ${at / record} has label ${label} but there are ` +
            `${classes.length} classes`,
        );
      }
      labels[row] = label;
      planesToChannelsLast(file.subarray(at + options.labelBytes, at + record), data.subarray(row * IMAGE));
    }
  });
  return { data, labels, classes };
}

async function readRecords(path: string, record: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!await isFile(path)) throw new Deno.errors.NotFound(`Cannot read "${path}": the file is absent`);
  const bytes = await Deno.readFile(path);
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new SyntaxError(
      `Cannot read "${path}": size must be a multiple of ${record} bytes: current size is ${bytes.length}, the file is cut off`,
    );
  }
  return bytes;
}
