/** Contents of a file of priors, before it is joined with a data set. */
export interface PriorTable {
  /** Values `[rows, dim]`. */
  data: Float32Array<ArrayBuffer>;
  rows: number;
  dim: number;
  columns?: string[];
  /** Whether the columns are known to be attributes, and not merely what is left when others are taken out. */
  certain?: boolean;
  /** Note on the columns that were taken and left out, when those that are kept are known. */
  note?: (kept: readonly string[]) => string;
  /** Labels `[rows, width]`. */
  labels?: { data: Float32Array<ArrayBuffer>; rows: number; width: number };
  /** Name of the class of each row, where no numbers say it. */
  labelNames?: string[];
  /** Name of the image of each row. */
  names?: string[];
}

/** Array names under which files keep the names of images, in the order in which they are believed. */
export const NAME_KEYS: readonly string[] = [
  ...["paths", "path", "names", "name", "files", "file", "filenames", "filename", "image", "CID"],
  ...["image_path", "image_name", "file_path", "filepath", "file_name", "images", "img"],
];

/** The least number of f32 that has all its bits; devices may take smaller ones for 0. */
const LEAST_NORMAL = 2 ** -126;

/**
 * Refuses a prior that vanishes as f32: no value is a normal number, though some are not 0; or the values of a column
 * differ, but not as f32, such as times in seconds of one minute.
 *
 * @param width Columns.
 * @throws {RangeError} If it does.
 */
export function checkScale(path: string, values: ArrayLike<number | bigint>, width: number): void {
  checkSizes(path, values);
  for (let column = 0; column < width; column++) {
    const first = values[column];
    let [differs, differsInF32] = [false, false];
    for (let i = column; i < values.length && !differsInF32; i += width) {
      differs ||= values[i] !== first;
      differsInF32 = Math.fround(Number(values[i])) !== Math.fround(Number(first)); // NaN is refused with its rows
    }
    if (!differs || differsInF32 || !Number.isFinite(Math.fround(Number(first)))) continue;
    throw new RangeError(
      `Cannot use "${path}" as a prior as values that differ must differ as f32: all of column ${column} become ` +
        `${Math.fround(Number(first))}; subtract their mean`,
    );
  }
}

function checkSizes(path: string, values: ArrayLike<number | bigint>): void {
  let any = false;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(Number(values[i]));
    if (!(size < LEAST_NORMAL)) return; // NaN is refused with its rows
    any ||= size > 0;
  }
  if (!any) return;
  throw new RangeError(
    `Cannot use "${path}" as a prior as values must be 1.2e-38 and more to differ from 0 as f32: got smaller ones alone; ` +
      "multiply them by a constant",
  );
}
