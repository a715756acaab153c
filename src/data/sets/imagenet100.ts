import { createHash } from "node:crypto";
import { join } from "node:path";
import { isDirectory, isFile, listDirectories, listSome, readLines } from "../files/files.ts";
import type { ObtainOptions } from "../files/obtain.ts";
import { type FolderWalk, walkImages } from "../files/walk.ts";
import { type ClassLabels, type FileDataset, NORMALIZATION } from "../dataset.ts";
import { download } from "../files/download.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadImageNet100}. */
export interface ImageNet100Options extends Omit<ObtainOptions, "download"> {
  /** Part of the data set (default `train`). */
  split?: "train" | "val";
  /** File of the class names, one a line (default: `imagenet100.txt` in `root`). */
  classList?: string;
  /** Download the class list (1 kB) when it is absent (default `true`). ImageNet itself cannot be downloaded without an account. */
  download?: boolean;
}

const LIST_URL = "https://raw.githubusercontent.com/HobbitLong/CMC/master/imagenet100.txt";
/** MD5 of the list's 100 classes, sorted, with line feeds between them. */
const LIST_MD5 = "78ee44ea7acf97e05f7537df33d7f419";

/**
 * Lists ImageNet-100: the images of 100 classes of ImageNet (ILSVRC 2012), chosen by a list of WordNet ids.
 *
 * `root` is ImageNet in torchvision's layout: `train/n01558993/….JPEG`, `val/n01558993/….JPEG`; folders that are not in
 * the list are left out. The list is the one of "Contrastive Multiview Coding", fetched when `imagenet100.txt` is
 * absent. A label is the rank of its class in the sorted list.
 *
 * Differs from the original: the list is applied here (there, it depended on a private method of torchvision, and newer
 * versions silently gave all 1,000 classes); the devkit's metadata are not needed.
 *
 * @param root The folder with `train` and `val`.
 * @returns Files, class of each, and paths such as `n01558993/n01558993_10010.JPEG`, in the order of torchvision's `ImageFolder`.
 * @throws {Deno.errors.NotFound} If the images, or the list, are absent.
 * @throws {SyntaxError} If a class of the list has no images, or the list is not one.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadImageNet100 } from "@decoupled/uniformity/data";
 *
 * const val = await loadImageNet100("/data/imagenet", { split: "val" });
 * console.log(val.length); // 5000
 * ```
 */
export async function loadImageNet100(
  root: string,
  options: ImageNet100Options = {},
): Promise<FileDataset<ClassLabels>> {
  checkOptions("loadImageNet100()", options, ["onProgress", "signal", "split", "classList", "download"]);
  const split = options.split ?? "train";
  const folder = join(root, split);
  if (!await isDirectory(folder)) {
    throw new Deno.errors.NotFound(
      `Cannot load ImageNet-100 from "${root}": it has no folder "${split}"; put ImageNet (ILSVRC 2012, which needs an account) ` +
        `there as "${split}/<WordNet id>/<image>.JPEG"`,
    );
  }
  const classes = await readClassList(root, options);
  const walks = await walkClasses(folder, classes);
  const paths = walks.flatMap((walk) => walk.paths);
  return {
    name: "imagenet100",
    split,
    length: paths.length,
    classes,
    labels: Int32Array.from(walks.flatMap((walk, label) => walk.paths.map(() => label))),
    files: {
      paths: paths.map((path) => join(folder, path)),
      decode: {},
      evaluation: { resize: { shortSide: 256 }, centerCrop: 224 },
    },
    paths,
    ...NORMALIZATION.imagenet,
    resolution: 224,
    notes: classes.length === 100 ? [] : [`ImageNet-100: the list has ${classes.length} classes, not 100`],
  };
}

/** The images of each class; each must have some. */
async function walkClasses(folder: string, classes: string[]): Promise<FolderWalk[]> {
  const present = new Set(await listDirectories(folder));
  const absent = classes.filter((name) => !present.has(name));
  if (absent.length > 0) {
    throw new SyntaxError(
      `Cannot use "${folder}" as each class of the list must have a folder: ${absent.length} of ${classes.length} are ` +
        `absent: ${listSome(absent)}`,
    );
  }
  const walks = await Promise.all(classes.map((name) => walkImages(folder, name)));
  const empty = classes.filter((_, i) => walks[i]!.paths.length === 0);
  if (empty.length > 0) {
    throw new SyntaxError(`Cannot use "${folder}" as each class must have images: ${listSome(empty)} has none`);
  }
  return walks;
}

async function readClassList(root: string, options: ImageNet100Options): Promise<string[]> {
  const path = options.classList ?? join(root, "imagenet100.txt");
  if (!await isFile(path)) await fetchClassList(path, options);
  return await classesIn(path);
}

async function classesIn(path: string): Promise<string[]> {
  const classes = [...new Set(await readLines(path))].sort();
  const wrong = classes.filter((name) => !/^n\d{8}$/.test(name));
  if (wrong.length > 0 || classes.length === 0) {
    throw new SyntaxError(
      `Cannot read "${path}" as its lines must be WordNet ids such as n01558993: got ${
        classes.length === 0 ? "no line" : listSome(wrong)
      }`,
    );
  }
  return classes;
}

/** Refuses a list that is not the published one, whatever its order and ends of lines. */
async function checkClassList(path: string): Promise<void> {
  const sum = createHash("md5").update((await classesIn(path)).join("\n")).digest("hex");
  if (sum !== LIST_MD5) {
    throw new SyntaxError(`the MD5 of its sorted classes must be ${LIST_MD5}: current value is ${sum}`);
  }
}

async function fetchClassList(path: string, options: ImageNet100Options): Promise<void> {
  let reason = "";
  if (options.classList === undefined && options.download !== false) {
    try {
      return await download(LIST_URL, path, {
        signal: options.signal,
        retries: 1,
        maxBytes: 10_000,
        check: checkClassList,
      });
    } catch (cause) {
      options.signal?.throwIfAborted();
      reason = ` (${cause instanceof Error ? cause.message : cause})`;
    }
  }
  throw new Deno.errors.NotFound(
    `Cannot load ImageNet-100: the list of classes is absent; put ${LIST_URL} at "${path}"${reason}`,
  );
}
