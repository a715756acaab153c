/**
 * Processor time from an image file on the disk to bytes for the device, part by part, and the cores that a number of
 * images a second takes. Processor time of one core, so that other work on the machine matters less.
 *
 *     deno run -A bench/data/decode.ts [images a second, 2500 by default]
 */
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import sharp from "sharp";
import { Device, type Tensor, tensor } from "../../mod.ts";
import type { DecodeSpec } from "../../src/data/mod.ts";
import { decodeImage, readImageFile } from "../../src/data/images/_decode_image.ts";
import { applySpec } from "../../src/data/images/resize.ts";
import type { RgbImage } from "../../src/data/images/rgb_image.ts";
import { short, table } from "../_table.ts";
import { picture } from "./_picture.ts";

const wanted = Number(Deno.args[0] ?? 2500);
const IMAGENET: DecodeSpec = { resize: { shortSide: 256 }, centerCrop: 224 };
const CASES = [
  { name: "32 x 32 PNG, as CIFAR-10", width: 32, height: 32, format: "png", spec: {}, times: 200 },
  { name: "500 x 375 JPEG to 224", width: 500, height: 375, format: "jpeg", spec: IMAGENET, times: 24 },
  { name: "1600 x 1200 JPEG to 224", width: 1600, height: 1200, format: "jpeg", spec: IMAGENET, times: 6 },
  {
    name: "1600 x 1200 JPEG to 224, shrunk as it is read",
    width: 1600,
    height: 1200,
    format: "jpeg",
    spec: { ...IMAGENET, shrinkAbove: 2 ** 19 },
    times: 6,
  },
] as const;

sharp.concurrency(1);
sharp.cache(false);
const device = await Device.open();
const folder = await Deno.makeTempDir();
const rows = [];
for (const each of CASES) rows.push(await rowOf(each));
await Deno.remove(folder, { recursive: true });
device.close();
const head = [
  "file",
  "kB",
  "read ms",
  "decode ms",
  "resize, crop ms",
  "upload ms",
  "images/s of a core",
  `cores for ${wanted}/s`,
];
console.log(table(head, rows));

async function rowOf({ name, width, height, format, spec, times }: typeof CASES[number]): Promise<string[]> {
  const path = `${folder}/${width}.${format}`;
  const made = picture(width, height);
  await sharp(made, { raw: { width, height, channels: 3 } })[format]().toFile(path);
  const bytes = await readImageFile(path);
  checkLike(await decodeImage(sharp, bytes, {}), made);
  const shrunk = { shrinkAbove: (spec as DecodeSpec).shrinkAbove };
  const plain = await decodeImage(sharp, bytes, shrunk);
  const small = await decodeImage(sharp, bytes, spec);
  if (format === "jpeg") assertEquals([small.height, small.width], [224, 224]);
  const read = await processor(times, () => readImageFile(path));
  const decode = await processor(times, () => decodeImage(sharp, bytes, shrunk));
  const resize = await processor(times, () => Promise.resolve(applySpec(plain, spec)));
  const upload = await processor(times, async () => {
    using image: Tensor = tensor(small.data, { shape: [small.data.length], device });
    device.flush();
    await Promise.resolve(image);
  });
  const all = read + decode + resize + upload;
  const parts = [read, decode, resize, upload, 1000 / all, wanted * all / 1000];
  return [name, short(bytes.length / 1e3), ...parts.map(short)];
}

/** Checks that what was decoded is what was written, but for what JPEG loses. */
function checkLike({ data }: RgbImage, made: Uint8Array): void {
  assertEquals(data.length, made.length);
  const off = data.reduce((sum, value, i) => sum + Math.abs(value - made[i]!), 0) / data.length;
  assert(off < 8, `decoded pixels differ by ${off} on average`);
}

/** Milliseconds of processor time of this process for one run: the least of three lots. */
async function processor(times: number, run: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let lot = 0; lot < 3; lot++) {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) await run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000 / times);
  }
  return least;
}
