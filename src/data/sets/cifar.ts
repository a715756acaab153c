import { type CifarLayout, type CifarRows, readCifarBinary } from "./_cifar_binary.ts";
import { type CifarKeys, readCifarPython } from "./_cifar_python.ts";
import { type DownloadSource, obtain, type ObtainOptions } from "../files/obtain.ts";
import { type ClassLabels, NORMALIZATION, type PixelDataset } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode loadCifar10} and {@linkcode loadCifar100}. */
export interface CifarOptions extends ObtainOptions {
  /** Part of the data set (default `train`). */
  split?: "train" | "test";
}

interface Variant {
  name: string;
  title: string;
  labelBytes: number;
  binary: CifarLayout;
  python: CifarLayout;
  keys: CifarKeys;
  /** The Python layout, then the binary one. */
  sources: readonly [DownloadSource, DownloadSource];
}

const CIFAR10: Variant = {
  name: "cifar10",
  title: "CIFAR-10",
  labelBytes: 1,
  binary: {
    train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
    test: ["test_batch.bin"],
    classesFile: "batches.meta.txt",
  },
  python: {
    train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`),
    test: ["test_batch"],
    classesFile: "batches.meta",
  },
  keys: { labels: "labels", classes: "label_names" },
  sources: [
    {
      folder: "cifar-10-batches-py",
      markers: ["test_batch", "data_batch_1", "batches.meta"],
      archive: "cifar-10-python.tar.gz",
      url: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
      md5: "c58f30108f718f92721af3b95e74349a",
      maxBytes: 200_000_000,
    },
    {
      folder: "cifar-10-batches-bin",
      markers: ["test_batch.bin", "data_batch_1.bin", "batches.meta.txt"],
      archive: "cifar-10-binary.tar.gz",
      url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      md5: "c32a1d4ab5d03f1284b67883e8d87530",
      maxBytes: 200_000_000,
    },
  ],
};

const CIFAR100: Variant = {
  name: "cifar100",
  title: "CIFAR-100",
  labelBytes: 2,
  binary: { train: ["train.bin"], test: ["test.bin"], classesFile: "fine_label_names.txt" },
  python: { train: ["train"], test: ["test"], classesFile: "meta" },
  keys: { labels: "fine_labels", classes: "fine_label_names" },
  sources: [
    {
      folder: "cifar-100-python",
      markers: ["test", "train", "meta"],
      archive: "cifar-100-python.tar.gz",
      url: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
      md5: "eb9058c3a382ffc7106e4002c42a8d85",
      maxBytes: 200_000_000,
    },
    {
      folder: "cifar-100-binary",
      markers: ["test.bin", "train.bin", "fine_label_names.txt"],
      archive: "cifar-100-binary.tar.gz",
      url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      md5: "03b5dce01913d631647c71ecec9e9cb8",
      maxBytes: 200_000_000,
    },
  ],
};

const PUBLISHED = { train: 50_000, test: 10_000 } as const;

/**
 * Loads CIFAR-10 into memory: 50,000 + 10,000 images of 32 px in 10 classes.
 *
 * Below `root` it takes what is there: the Python layout, `cifar-10-batches-py/` or `cifar-10-python.tar.gz`, or the
 * binary one, `cifar-10-batches-bin/` or `cifar-10-binary.tar.gz`; archives are extracted. With nothing there it
 * downloads the Python layout (170 MB), which torchvision reads, too. The pickles are read without executing anything.
 *
 * @param root The folder that holds one of these (or such a folder itself).
 * @returns Pixels `[n, 32, 32, 3]` and labels `[n]`, and the file names where the layout has them; another number of images than
 *   the published one is a note.
 * @throws {Deno.errors.NotFound} If the data set is neither there nor can be downloaded.
 * @throws {SyntaxError} If a file is damaged.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCifar10 } from "@decoupled/uniformity/data";
 *
 * const train = await loadCifar10("./data/cifar10", { split: "train" });
 * console.log(train.length, train.classes);
 * ```
 */
export async function loadCifar10(root: string, options: CifarOptions = {}): Promise<PixelDataset<ClassLabels>> {
  checkOptions("loadCifar10()", options, NAMES);
  return await loadCifar(CIFAR10, root, options);
}

/**
 * Loads CIFAR-100 into memory: 50,000 + 10,000 images of 32 px in 100 (fine) classes.
 *
 * Below `root` it takes what is there: the Python layout, `cifar-100-python/` or `cifar-100-python.tar.gz`, or the
 * binary one, `cifar-100-binary/` or `cifar-100-binary.tar.gz`; archives are extracted. With nothing there it downloads
 * the Python layout (170 MB), which torchvision reads, too. The pickles are read without executing anything.
 *
 * @param root The folder that holds one of these (or such a folder itself).
 * @returns Pixels `[n, 32, 32, 3]` and labels `[n]`, and the file names where the layout has them; another number of images than
 *   the published one is a note.
 * @throws {Deno.errors.NotFound} If the data set is neither there nor can be downloaded.
 * @throws {SyntaxError} If a file is damaged.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCifar100 } from "@decoupled/uniformity/data";
 *
 * const test = await loadCifar100("./data/cifar100", { split: "test" });
 * console.log(test.length, test.classes);
 * ```
 */
export async function loadCifar100(root: string, options: CifarOptions = {}): Promise<PixelDataset<ClassLabels>> {
  checkOptions("loadCifar100()", options, NAMES);
  return await loadCifar(CIFAR100, root, options);
}

const NAMES = ["split", "download", "onProgress", "signal"] as const;

async function loadCifar(variant: Variant, root: string, options: CifarOptions): Promise<PixelDataset<ClassLabels>> {
  const split = options.split ?? "train";
  const { folder, source } = await obtain(root, { title: variant.title, sources: variant.sources, options });
  const rows = source === variant.sources[0]
    ? await readCifarPython(folder, variant.python, { split, keys: variant.keys })
    : await readCifarBinary(folder, variant.binary, { split, labelBytes: variant.labelBytes });
  return toDataset(variant, split, rows);
}

function toDataset(variant: Variant, split: "train" | "test", rows: CifarRows): PixelDataset<ClassLabels> {
  const { data, labels, classes, paths } = rows;
  const notes = labels.length === PUBLISHED[split]
    ? []
    : [`${variant.title} ${split}: ${labels.length} images were read, the published set has ${PUBLISHED[split]}`];
  return {
    name: variant.name,
    split,
    length: labels.length,
    classes,
    labels,
    pixels: { data, height: 32, width: 32 },
    ...(paths ? { paths } : {}),
    ...NORMALIZATION.cifar,
    resolution: 32,
    notes,
  };
}
