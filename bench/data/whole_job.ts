/**
 * Rates from files to the weights with the network's step replaced by the time that a GPU takes for it by the model of
 * bench/README.md: loading and augmentation as the programs run them, and a timer in place of the step. Images a second,
 * what is waited for, processor time of an image, and the cores that a rate takes by it.
 *
 *     deno run -A bench/data/whole_job.ts [photographs 96] [images a second 2500]
 *
 * The device that does nothing leaves augmentation out, as a GPU takes it off the processor; llvmpipe shows it.
 */
import process from "node:process";
import { assert } from "@std/assert";
import sharp from "sharp";
import { Device, key } from "../../mod.ts";
import { type ImageDataset, imageSource, loadFolder, naturalRecipe, StreamedImages } from "../../src/data/mod.ts";
import { shuffled } from "../../src/tensor/mod.ts";
import { nullGpu } from "../../tests/portability/_null_gpu.ts";
import { LARGE } from "../gpu_compile/_step.ts";
import { short, table } from "../_table.ts";
import { picture, writePhotographs } from "./_picture.ts";

interface Case {
  readonly name: string;
  readonly dataset: ImageDataset;
  readonly batch: number;
  /** Milliseconds of a step by the model. */
  readonly step: number;
  readonly software?: boolean;
  readonly workers?: number;
  /** Epoch that is measured: the second one with a cache. */
  readonly epoch?: number;
}

const [count = 96, wanted = 2500] = Deno.args.map(Number);
const HEAD = ["images", "device", "Workers", "images/s", "by the step alone", "decode ms", "wait ms", "upload ms"];

sharp.concurrency(1);
const folder = await Deno.makeTempDir();
try {
  await writePhotographs(folder, count, { width: 500, height: 375 });
  const rows: string[][] = [];
  for (const each of await casesOf()) rows.push(await rowOf(each));
  console.log(table([...HEAD, "processor ms", `cores for ${wanted}/s`], rows));
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function casesOf(): Promise<Case[]> {
  const photographs = await loadFolder(folder);
  const { mean, std } = photographs;
  const size = { height: 32, width: 32 };
  const data = new Uint8Array(1024 * 32 * 32 * 3);
  for (let i = 0; i < 1024; i++) data.set(picture(32, 32, i), i * 3072);
  const small: ImageDataset = {
    ...photographs,
    mean,
    std,
    length: 1024,
    resolution: 32,
    files: undefined,
    pixels: { data, ...size },
  };
  const jpeg = { name: "500 x 375 JPEG, 224 px", dataset: photographs, batch: 32, step: 141 / 2 };
  return [
    { name: "CIFAR-10's in memory, 32 px", dataset: small, batch: 256, step: 76.9 },
    { ...jpeg, workers: 1 },
    { ...jpeg, workers: 2 },
    { ...jpeg, workers: 1, epoch: 1, name: `${jpeg.name}, kept by cacheBytes` },
    { ...jpeg, workers: 1, software: true },
  ];
}

async function rowOf({ name, dataset, batch, step, software, workers, epoch = 0 }: Case): Promise<string[]> {
  await using device = await Device.open(software ? {} : { gpu: nullGpu(LARGE, []) });
  const recipe = naturalRecipe({ size: dataset.resolution, mean: dataset.mean, std: dataset.std });
  const source = imageSource(device, dataset, recipe, { workers, cacheBytes: epoch > 0 ? 2 ** 31 : 0 });
  const run = (epoch: number) => oneEpoch(device, source, { length: dataset.length, batch, step, epoch });
  for (let before = 0; before < epoch; before++) await run(before);
  const times = () => source instanceof StreamedImages ? source.times : { decode: 0, wait: 0, upload: 0 };
  const [start, cpu, before] = [performance.now(), process.cpuUsage(), times()];
  const images = await run(epoch);
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const after = times();
  source.dispose();
  const parts = (["decode", "wait", "upload"] as const).map((part) => (after[part] - before[part]) / images);
  const processor = (user + system) / 1000 / images;
  const numbers = [1000 * images / milliseconds, 1000 * batch / step, ...parts, processor, wanted * processor / 1000];
  return [name, software ? "llvmpipe" : "nothing", workers === undefined ? "" : `${workers}`, ...numbers.map(short)];
}

/** The batches of an epoch, each followed by its step; gives the images. */
async function oneEpoch(
  device: Device,
  source: ReturnType<typeof imageSource>,
  { length, batch, step, epoch }: { length: number; batch: number; step: number; epoch: number },
): Promise<number> {
  const sizes = new Array<number>(Math.floor(length / batch)).fill(batch);
  const plan = { order: shuffled(length, key(0, 0, epoch)), sizes, epoch, seed: 0, views: 2 };
  let images = 0;
  for await (const { rows, views } of source.batches(plan)) {
    assert(views && views.shape[0] === batch);
    await device.done();
    await new Promise((resolve) => setTimeout(resolve, step));
    images += rows.length;
  }
  return images;
}
