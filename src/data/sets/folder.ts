import { join } from "node:path";
import { isDirectory, listSome } from "../files/files.ts";
import { topFolder, walkImages } from "../files/walk.ts";
import { type Channels, type ClassLabels, type FileDataset, NORMALIZATION } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadFolder}. */
export interface FolderOptions {
  /**
   * Whether the subfolders are classes. `true`: the subfolders of `root` are the classes. `false`: there are none.
   * Default: `true` when all images are in subfolders, `false` when none is.
   */
  labels?: boolean;
  /** Name of the data set (default `custom`). */
  name?: string;
  /** Name of this part of it (default `train`). */
  split?: string;
  /** Side of the crops that training takes, px (default 224). */
  resolution?: number;
  /** Mean of each channel, 0 to 1 (default: ImageNet's). */
  mean?: Channels;
  /** Standard deviation of each channel, 0 to 1 (default: ImageNet's). */
  std?: Channels;
}

/**
 * Lists the images of a folder of one's own: with a subfolder for each class, or without labels.
 *
 * JPEG, PNG, WebP, TIFF, GIF (its first picture) and AVIF are read; names that begin with a dot are left out. Images
 * come in the order of torchvision's `ImageFolder`. As there, `root`, classes and images may be symbolic links, to other
 * places too, and what two names lead to is listed under both; a link back to a folder above it is left out, with a note.
 * Class folders whose names differ in the form of Unicode alone (NFC, NFD) are one class, with a note.
 *
 * @param root The folder.
 * @returns Files, labels or `null`, and paths relative to `root`.
 * @throws {Deno.errors.NotFound} If the folder is absent or holds no image.
 * @throws {TypeError} If some images are in subfolders and some are not, and `labels` does not say what that means.
 * @throws {RangeError} If `resolution` is not a positive integer.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadFolder } from "@decoupled/uniformity/data";
 *
 * const root = await Deno.makeTempDir();
 * for (const name of ["cat/1.jpg", "cat/2.png", "dog/1.jpg"]) {
 *   await Deno.mkdir(`${root}/${name.slice(0, 3)}`, { recursive: true });
 *   await Deno.writeTextFile(`${root}/${name}`, ""); // images are read later
 * }
 *
 * const pets = await loadFolder(root);
 *
 * assertEquals(pets.classes, ["cat", "dog"]);
 * assertEquals(pets.labels, Int32Array.of(0, 0, 1));
 * assertEquals(pets.paths, ["cat/1.jpg", "cat/2.png", "dog/1.jpg"]);
 * ```
 */
export async function loadFolder(root: string, options: FolderOptions = {}): Promise<FileDataset<ClassLabels | null>> {
  checkOptions("loadFolder()", options, ["labels", "name", "split", "resolution", "mean", "std"]);
  const { resolution = 224, name = "custom", split = "train" } = options;
  if (!Number.isInteger(resolution) || resolution < 1) {
    throw new RangeError(
      `Cannot load "${root}" as resolution must be a positive integer: current value is ${resolution}`,
    );
  }
  if (!await isDirectory(root)) throw new Deno.errors.NotFound(`Cannot load "${root}": the folder is absent`);
  const { paths, others, circles } = await walkImages(root);
  if (paths.length === 0) throw noImages(root, others);
  const labelled = options.labels ?? guessLabels(root, paths);
  const kept = labelled ? paths.filter((path) => path.includes("/")) : paths;
  const loose = paths.length - kept.length;
  const { classes, index, twins } = classesOf(labelled ? kept : []);
  if (labelled) kept.sort((a, b) => (index.get(topFolder(a)) ?? 0) - (index.get(topFolder(b)) ?? 0)); // stable
  return {
    name,
    split,
    length: kept.length,
    classes,
    labels: labelled ? Int32Array.from(kept, (path) => index.get(topFolder(path)) ?? -1) : null,
    files: {
      paths: kept.map((path) => join(root, path)),
      decode: {},
      evaluation: { resize: { shortSide: Math.round(resolution * 256 / 224) }, centerCrop: resolution },
    },
    paths: kept,
    mean: options.mean ?? NORMALIZATION.imagenet.mean,
    std: options.std ?? NORMALIZATION.imagenet.std,
    resolution,
    notes: [
      ...(loose > 0 ? [`${loose} images directly in "${root}" have no class and are left out`] : []),
      ...twins,
      ...[...others].map(([ending, count]) => `${count} files (${ending}) in "${root}" are not images`),
      ...(circles.length > 0 ? [`links back to a folder above them are left out: ${listSome(circles)}`] : []),
    ],
  };
}

/**
 * Lists the class folders, in the order of `ImageFolder`, and numbers each. Names that differ only in the form of Unicode
 * (NFC, or NFD as macOS writes it) look alike and are joined as one everywhere, so they are one class.
 */
function classesOf(paths: readonly string[]) {
  const [classes, twins] = [[] as string[], [] as string[]];
  const [byName, index] = [new Map<string, number>(), new Map<string, number>()];
  for (const folder of [...new Set(paths.map(topFolder))].sort()) {
    const name = folder.normalize("NFC");
    const known = byName.get(name);
    if (known === undefined) {
      byName.set(name, classes.length);
      classes.push(folder);
    } else twins.push(folder);
    index.set(folder, known ?? classes.length - 1);
  }
  const note = `folders of one name, written in two forms of Unicode, are one class: ${listSome(twins)}`;
  return { classes, index, twins: twins.length > 0 ? [note] : [] };
}

function noImages(root: string, others: Map<string, number>): Error {
  const found = [...others].map(([ending, count]) => `${count} x ${ending}`).join(", ");
  return new Deno.errors.NotFound(
    `Cannot load "${root}": it holds no image (JPEG, PNG, WebP, TIFF, GIF, AVIF), but ${found || "nothing"}`,
  );
}

function guessLabels(root: string, paths: string[]): boolean {
  const inside = paths.filter((path) => path.includes("/")).length;
  if (inside === paths.length) return true;
  if (inside === 0) return false;
  throw new TypeError(
    `Cannot load "${root}" as labels (--labels) must say whether subfolders are classes: ${inside} images are in subfolders, ` +
      `${paths.length - inside} are not`,
  );
}
