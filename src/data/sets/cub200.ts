import { quoted } from "../../formats/internal.ts";
import { join } from "node:path";
import { type DownloadSource, obtain, type ObtainOptions } from "../files/obtain.ts";
import { isFile } from "../files/files.ts";
import { findImages, listedPath, readIds } from "../files/lists.ts";
import { compareByFolder, topFolder } from "../files/walk.ts";
import { type ClassLabels, type FileDataset, NORMALIZATION } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadCub200}. */
export interface Cub200Options extends ObtainOptions {
  /** Part of the data set (default `train`). */
  split?: "train" | "test";
}

const SOURCES: readonly DownloadSource[] = [{
  folder: "CUB_200_2011",
  markers: ["images.txt"],
  archive: "CUB_200_2011.tgz",
  url: "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
  md5: "97eceeb196236b17998738112f37df78",
  maxBytes: 1_300_000_000,
}];

const PUBLISHED = { train: 5994, test: 5794 } as const;

/**
 * Lists Caltech-UCSD Birds 200-2011: 5,994 + 5,794 photographs of 200 species, by the official split.
 *
 * Below `root` it takes `CUB_200_2011/` or `CUB_200_2011.tgz` (which is extracted); with nothing there it downloads the
 * archive (1.1 GB). Images come in the order of torchvision's `ImageFolder`, which is the order of the original's prior
 * files.
 *
 * Classes are those of `image_class_labels.txt` and `classes.txt`, joined by name; folders, where one of these is not
 * there.
 *
 * Differs from the original: labels are those of the split (there, `targets` kept all 11,788); a file that is missing
 * or damaged is named (there, any error led to a new download); another number of images is a note, not an error.
 *
 * @param root The folder that holds one of these (or `CUB_200_2011` itself).
 * @returns Files, class of each, and paths such as `001.Black_footed_Albatross/….jpg`.
 * @throws {Deno.errors.NotFound} If the data set is neither there nor can be downloaded.
 * @throws {SyntaxError} If its text files do not fit together, name images outside the folder, or images are absent.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCub200 } from "@decoupled/uniformity/data";
 *
 * const train = await loadCub200("./data/cub200");
 * console.log(train.length, train.classes.length);
 * ```
 */
export async function loadCub200(root: string, options: Cub200Options = {}): Promise<FileDataset<ClassLabels>> {
  checkOptions("loadCub200()", options, ["download", "onProgress", "signal", "split"]);
  const split = options.split ?? "train";
  const { folder } = await obtain(root, { title: "CUB-200-2011", sources: SOURCES, options });
  const images = await readImages(join(folder, "images.txt"));
  const paths = await pathsOf(split, folder, images);
  const files = await findImages(join(folder, "images"), paths);
  const classOf = await classNames(folder, images);
  const classes = [...new Set(classOf.values())].sort();
  const index = new Map(classes.map((name, i) => [name, i]));
  return {
    name: "cub200",
    split,
    length: paths.length,
    classes,
    labels: Int32Array.from(paths, (path) => index.get(classOf.get(path)!) ?? -1),
    files: {
      paths: files.map((path) => join(folder, "images", path)),
      decode: {},
      evaluation: { resize: { shortSide: 256 }, centerCrop: 224 },
    },
    paths,
    ...NORMALIZATION.cub200,
    resolution: 224,
    notes: paths.length === PUBLISHED[split]
      ? []
      : [`CUB-200-2011 ${split}: ${paths.length} images are listed, the published set has ${PUBLISHED[split]}`],
  };
}

/** Paths of the images of a split, ordered by folder. */
async function pathsOf(
  split: "train" | "test",
  folder: string,
  images: ReadonlyMap<string, string>,
): Promise<string[]> {
  const file = join(folder, "train_test_split.txt");
  const splits = await readIds(file);
  const wanted = split === "train" ? "1" : "0";
  const paths: string[] = [];
  for (const [id, path] of images) {
    const value = splits.get(id);
    if (value !== "0" && value !== "1") {
      throw new SyntaxError(
        `Cannot read "${file}" as each image must have 0 or 1: image ${id} has ` +
          `${value === undefined ? "no line" : quoted(value)}`,
      );
    }
    if (value === wanted) paths.push(path);
  }
  if (paths.length === 0) {
    throw new SyntaxError(`Cannot use "${folder}" as the ${split} split must hold images: got none of ${images.size}`);
  }
  return paths.sort(compareByFolder);
}

/** Paths of the images by id. */
async function readImages(list: string): Promise<Map<string, string>> {
  const images = new Map([...await readIds(list)].map(([id, path]) => [id, listedPath(list, path)]));
  checkOnce(list, "image", images.values());
  return images;
}

/** Refuses a list in which something comes twice: the parts of a split would share an image, two classes become one. */
function checkOnce(list: string, what: string, names: Iterable<string>): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new SyntaxError(`Cannot read "${list}" as no ${what} may come twice: got ${quoted(name)}`);
    }
    seen.add(name);
  }
}

/**
 * Name of the class of each path: that of `image_class_labels.txt` and `classes.txt` where both are there, else its folder.
 *
 * @throws {SyntaxError} If an image has no class, or one that has no name.
 */
async function classNames(folder: string, images: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const [labelFile, nameFile] = ["image_class_labels.txt", "classes.txt"].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  if (!await isFile(labelFile) || !await isFile(nameFile)) {
    return new Map([...images.values()].map((path) => [path, topFolder(path)]));
  }
  const [labels, names] = [await readIds(labelFile), await readIds(nameFile)];
  checkOnce(nameFile, "class", names.values());
  return new Map([...images].map(([id, path]) => {
    const label = labels.get(id);
    if (label === undefined) {
      throw new SyntaxError(`Cannot read "${labelFile}" as each image must have a class: image ${id} has no line`);
    }
    const name = names.get(label);
    if (name === undefined) {
      throw new SyntaxError(
        `Cannot read "${labelFile}" as each class must be in "${nameFile}": image ${id} has ${quoted(label)}`,
      );
    }
    return [path, name];
  }));
}
