import { dirname, join } from "node:path";
import { DEMO_LAYOUTS, type DemoName } from "./demo_layouts.ts";
import { selectDemoImages } from "./_demo_images.ts";
import { kindOf } from "../files/files.ts";
import { loadEmoji } from "./emoji.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { WorkerPool } from "../images/worker_pool.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode writeDemo}. */
export interface DemoOptions {
  /** Images for training (default 512). */
  train?: number;
  /** Images for evaluation (default 256). */
  test?: number;
}

const MARK = "DEMO.json";

/**
 * Writes a small set of emoji images in the on-disk layout of a data set, so that its real loader can be tried: archives'
 * folders, text files, CSV files, splits, attributes and JPEG files as the real data set has them.
 *
 * | name | layout | labels | prior |
 * | --- | --- | --- | --- |
 * | `cifar10` | binary, 32 px | 9 categories | |
 * | `cifar100` | binary, 32 px | 98 subcategories, the categories being the coarse labels | |
 * | `cub200` | `CUB_200_2011/`, JPEG | 9 categories | 64 words as annotated attributes |
 * | `utzappos` | `ut-zap50k-images/`, `ut-zap50k-data/`, JPEG of 136 x 102 px | 9 of the 21 subcategories | 64 words in `meta_data_bin_train.csv` |
 * | `imagenet100` | `train/`, `val/`, class list, JPEG | 9 categories | |
 * | `chexpert` | `train.csv`, `valid.csv`, grey JPEG | 13 words, some blank or -1 | |
 * | `custom` | `train/`, `test/` with a folder for each category, JPEG | 9 categories | 64 words in `custom_prior.npz` |
 *
 * Half of the images are drawn by Twitter, half by Google. No emoji is in both parts.
 *
 * @param name Which layout.
 * @param root The folder, absent, empty, or written by this function before (a set with the same numbers is kept).
 * @throws {Deno.errors.AlreadyExists} If something else is in the folder.
 * @throws {Deno.errors.NotFound} If npm, where the images come from, cannot be reached.
 * @throws {RangeError} If the numbers are not between 18 and 3,000 together.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadCifar10, writeDemo } from "@decoupled/uniformity/data";
 *
 * const root = `${await Deno.makeTempDir()}/cifar10`;
 * await writeDemo("cifar10", root, { train: 90, test: 18 });
 *
 * assertEquals((await loadCifar10(root, { split: "test" })).length, 18);
 * ```
 */
export async function writeDemo(name: DemoName, root: string, options: DemoOptions = {}): Promise<void> {
  checkOptions("writeDemo()", options, ["train", "test"]);
  const { train = 512, test = 256 } = options;
  for (const [part, count] of Object.entries({ train, test })) {
    if (!Number.isInteger(count) || count < 18 || train + test > 3000) {
      throw new RangeError(
        `Cannot write demo data as ${part} must be an integer of at least 18, and at most 3000 in all: current value is ${count}`,
      );
    }
  }
  const mark = JSON.stringify({ note: "Demo data made of emoji images, not the data set itself", name, train, test });
  if (await isMine(root, mark) === "same") return;
  const images = selectDemoImages(await loadEmoji(), { train, test });
  await Deno.mkdir(dirname(root), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: dirname(root), prefix: ".demo-" });
  const pool = new WorkerPool(1);
  try {
    await DEMO_LAYOUTS[name](folder, images, (image, grayscale) => encodeJpeg(pool, image, grayscale));
    await Deno.writeTextFile(join(folder, MARK), mark);
    if (await kindOf(root) !== null) await Deno.remove(root, { recursive: true }); // empty, or demo data of other numbers
    await Deno.rename(folder, root);
  } finally {
    pool.close();
    if (await kindOf(folder) !== null) await Deno.remove(folder, { recursive: true });
  }
}

async function encodeJpeg(pool: WorkerPool, image: RgbImage, grayscale: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const result = await pool.run({ kind: "encode", image, grayscale });
  if ("bytes" in result) return result.bytes;
  throw new Error(`Cannot write a JPEG file: ${"unreadable" in result ? result.unreadable : "no bytes"}`);
}

/**
 * Whether a folder holds demo data of the same or of other numbers, or nothing.
 *
 * @throws {Deno.errors.AlreadyExists} If it holds something else.
 */
async function isMine(root: string, mark: string): Promise<"same" | "other" | "nothing"> {
  if (await kindOf(root) === null) return "nothing";
  if (await kindOf(join(root, MARK)) === "file") {
    return await Deno.readTextFile(join(root, MARK)) === mark ? "same" : "other";
  }
  for await (const entry of Deno.readDir(root)) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write demo data into "${root}" as it must be empty: it holds "${entry.name}"`,
    );
  }
  return "nothing";
}
