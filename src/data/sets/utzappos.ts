import { createHash } from "node:crypto";
import { join } from "node:path";
import { columnOf, readCsv, rowsBy } from "../files/csv.ts";
import { isFile, listSome } from "../files/files.ts";
import { type DownloadSource, obtain, type ObtainOptions } from "../files/obtain.ts";
import { fileName, walkImages } from "../files/walk.ts";
import { type ClassLabels, type FileDataset, NORMALIZATION } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadUtZappos}. */
export interface UtZapposOptions extends ObtainOptions {
  /** Part of the data set (default `train`). */
  split?: "train" | "test";
  /**
   * CSV file whose column `path` lists the training images: the original's `meta_data_bin_train.csv` (default: the file
   * of that name in `root`).
   */
  trainList?: string;
  /**
   * Share of the images that is for training where there is no list, above 0 and below 1. Which ones follows from the
   * names alone, so it is the same everywhere; 0.7 gives the original's 35,017 images, but others.
   */
  trainFraction?: number;
}

const SITE = "https://vision.cs.utexas.edu/projects/finegrained/utzap50k";

const IMAGES: readonly DownloadSource[] = [
  {
    folder: "ut-zap50k-images",
    markers: [],
    archive: "ut-zap50k-images.zip",
    url: `${SITE}/ut-zap50k-images.zip`,
    maxBytes: 1_000_000_000,
  },
  { folder: "ut-zap50k-images-square", markers: [], archive: "ut-zap50k-images-square.zip" },
];

const METADATA: readonly DownloadSource[] = [{
  folder: "ut-zap50k-data",
  markers: ["meta-data.csv"],
  archive: "ut-zap50k-data.zip",
  url: `${SITE}/ut-zap50k-data.zip`,
  maxBytes: 200_000_000,
}];

const PUBLISHED = { train: 35_017, test: 15_008 } as const;

const CLASSES = [
  "Ankle",
  "Athletic",
  "Boat Shoes",
  "Boot",
  "Clogs and Mules",
  "Crib Shoes",
  "Firstwalker",
  "Flat",
  "Flats",
  "Heel",
  "Heels",
  "Knee High",
  "Loafers",
  "Mid-Calf",
  "Over the Knee",
  "Oxfords",
  "Prewalker",
  "Prewalker Boots",
  "Slipper Flats",
  "Slipper Heels",
  "Sneakers and Athletic Shoes",
];

/**
 * Lists UT-Zappos50K: 35,017 + 15,008 pictures of shoes of 21 subcategories.
 *
 * Below `root` it takes `ut-zap50k-images/` and `ut-zap50k-data/`, or the two `.zip` files (which are extracted); with
 * nothing there it downloads them (290 MB). The split is the original's: training images are those that
 * `meta_data_bin_train.csv` lists (put it into `root`, or name it with `trainList`). Images come in the order of
 * torchvision's `ImageFolder`.
 *
 * Differs from the original: for evaluation, images are squashed to 32 x 32 px (there, `Resize(32)` kept the aspect
 * ratio, so that a network trained on squares was evaluated on 32 x 42 px); an image without metadata, or metadata
 * without an image, is named.
 *
 * @param root The folder that holds them.
 * @returns Files, subcategory of each, and paths such as `Shoes/Oxfords/Bostonian/100627.72.jpg`.
 * @throws {Deno.errors.NotFound} If the data set is neither there nor can be downloaded, or nothing gives the split.
 * @throws {SyntaxError} If images and metadata do not fit together.
 * @throws {RangeError} If `trainFraction` is not above 0 and below 1.
 * @throws {TypeError} If both `trainList` and `trainFraction` are given.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadUtZappos, preload } from "@decoupled/uniformity/data";
 *
 * const train = await preload(await loadUtZappos("./data/utzappos"), { height: 32, width: 32 });
 * console.log(train.length, train.classes.length);
 * ```
 */
export async function loadUtZappos(root: string, options: UtZapposOptions = {}): Promise<FileDataset<ClassLabels>> {
  checkOptions("loadUtZappos()", options, ["download", "onProgress", "signal", "split", "trainList", "trainFraction"]);
  const split = options.split ?? "train";
  const images = await obtain(root, { title: "UT-Zappos50K", sources: IMAGES, options });
  const metadata = await obtain(root, { title: "UT-Zappos50K", sources: METADATA, options });
  const subcategories = await readSubcategories(join(metadata.folder, "meta-data.csv"));
  const { paths: all } = await walkImages(images.folder);
  checkJoin(images.folder, all, subcategories);
  const inTrain = await readSplit(root, [...subcategories.keys()], options);
  const paths = all.filter((path) => inTrain.has(cidOf(path)) === (split === "train"));
  const index = new Map(CLASSES.map((name, i) => [name, i]));
  return {
    name: "utzappos",
    split,
    length: paths.length,
    classes: [...CLASSES],
    labels: Int32Array.from(paths, (path) => index.get(subcategories.get(cidOf(path)) ?? "") ?? -1),
    files: {
      paths: paths.map((path) => join(images.folder, path)),
      decode: {},
      evaluation: { resize: { height: 32, width: 32 } },
    },
    paths,
    ...NORMALIZATION.utzappos,
    resolution: 32,
    notes: paths.length === PUBLISHED[split]
      ? []
      : [`UT-Zappos50K ${split}: ${paths.length} images were found, the published split has ${PUBLISHED[split]}`],
  };
}

/**
 * The identifier of a shoe in the metadata: the file name without `.jpg`, and with `-` for `.`.
 *
 * @param path A path that ends in the file name.
 */
export function cidOf(path: string): string {
  return fileName(path).replace(/\.jpg$/, "").replaceAll(".", "-");
}

async function readSubcategories(path: string): Promise<Map<string, string>> {
  const table = await readCsv(path);
  const [cid, subcategory] = [columnOf(table, "CID"), columnOf(table, "SubCategory")];
  const names = new Map<string, string>();
  for (const [id, row] of rowsBy(table, (row) => row[cid]!)) names.set(id, row[subcategory]!);
  const unknown = [...new Set(names.values())].filter((name) => !CLASSES.includes(name));
  if (unknown.length > 0) {
    throw new SyntaxError(
      `Cannot read "${path}" as SubCategory must be one of the 21 published ones: got ${listSome(unknown)}`,
    );
  }
  return names;
}

/** Checks that each image has metadata, and the metadata an image. */
function checkJoin(folder: string, paths: string[], subcategories: Map<string, string>): void {
  const cids = new Set(paths.map(cidOf));
  const unknown = paths.filter((path) => !subcategories.has(cidOf(path)));
  const absent = [...subcategories.keys()].filter((cid) => !cids.has(cid));
  if (unknown.length > 0 || absent.length > 0 || cids.size < paths.length) {
    const what = unknown.length > 0
      ? `${unknown.length} images have no metadata: ${listSome(unknown)}`
      : absent.length > 0
      ? `${absent.length} images of the metadata are absent: ${listSome(absent)}`
      : `${paths.length - cids.size} images share their name with another`;
    throw new SyntaxError(`Cannot use "${folder}" as images and meta-data.csv must fit together: ${what}`);
  }
}

/** The identifiers of the training images. */
async function readSplit(root: string, cids: string[], options: UtZapposOptions): Promise<Set<string>> {
  const { trainFraction, trainList } = options;
  if (trainFraction !== undefined && trainList !== undefined) {
    throw new TypeError(
      "Cannot split UT-Zappos50K as only one of trainList (--train_list) and trainFraction (--train_fraction) can be " +
        "given: got both",
    );
  }
  if (trainFraction !== undefined) return hashSplit(cids, trainFraction);
  const path = trainList ?? join(root, "meta_data_bin_train.csv");
  if (!await isFile(path)) {
    throw new Deno.errors.NotFound(
      `Cannot split UT-Zappos50K: "${path}", which lists the training images, is absent; put the original's ` +
        `meta_data_bin_train.csv there, or give trainFraction (--train_fraction): 0.7 gives as many images, but others`,
    );
  }
  const table = await readCsv(path);
  const [name, idOf] = table.header.includes("CID")
    ? ["CID", (text: string) => text] as const
    : ["path", (text: string) => cidOf(text.replaceAll("\\", "/"))] as const;
  const column = columnOf(table, name);
  const train = new Set(table.rows.map((row) => idOf(row[column]!)));
  const known = new Set(cids);
  const unknown = [...train].filter((cid) => !known.has(cid));
  if (unknown.length > 0) {
    throw new SyntaxError(
      `Cannot use "${path}" as it must list images of the data set: ${unknown.length} of ${train.size} are not: ${
        listSome(unknown)
      }`,
    );
  }
  return train;
}

function hashSplit(cids: string[], fraction: number): Set<string> {
  if (!(fraction > 0 && fraction < 1)) {
    throw new RangeError(
      `Cannot split UT-Zappos50K as trainFraction (--train_fraction) must be above 0 and below 1: current value is ${fraction}`,
    );
  }
  const hashed = cids.map((cid) => [createHash("md5").update(cid).digest("hex"), cid] as const);
  hashed.sort(([a], [b]) => a < b ? -1 : 1);
  return new Set(hashed.slice(0, Math.floor(fraction * cids.length)).map(([, cid]) => cid));
}
