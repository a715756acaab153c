// Data sets of image files.
import { type DecodeSpec, type FileDataset, NORMALIZATION } from "../../src/data/dataset.ts";
import { decodeAhead } from "../../src/data/images/decode.ts";

/** Folder of the images beside the tests. */
export const IMAGES = new URL("./fixtures/images/", import.meta.url).pathname;

/** A data set of files. */
export function dataset(paths: string[], decode: DecodeSpec = {}): FileDataset {
  return {
    name: "files",
    split: "train",
    length: paths.length,
    classes: ["a"],
    labels: Int32Array.from(paths, (_, i) => i),
    files: { paths, decode, evaluation: decode },
    paths: paths.map((path) => path.slice(path.lastIndexOf("/") + 1)),
    ...NORMALIZATION.imagenet,
    resolution: 224,
    notes: [],
  };
}

/** One of the images beside the tests. */
export async function decodeOne(name: string, decode: DecodeSpec = {}) {
  for await (const image of decodeAhead(dataset([IMAGES + name], decode), { workers: 1 })) return image;
  throw new Error(`${name} is unreadable`);
}
