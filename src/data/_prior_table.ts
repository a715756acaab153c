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
