import { assert } from "@std/assert";
import sharp from "sharp";
import { decodeImage } from "../../src/data/images/_decode_image.ts";
import { mutate } from "./_mutate.ts";
import { fixtures } from "./_readers.ts";
import { repairPng } from "./_repair.ts";
import { readMutants } from "./_run.ts";
import { checkError } from "./_verdict.ts";

const SPEC = { resize: { shortSide: 32 }, centerCrop: 28 };
const images = (...names: string[]) => fixtures(...names.map((name) => `data/fixtures/images/${name}`));

/** libvips throws plain errors with words of its own, which become the reason why a picture is unreadable. */
function checkReason(error: unknown): void {
  if (error instanceof Error && error.constructor === Error) return assert(error.message !== "");
  checkError(error);
}

const FORMATS = {
  JPEG: images("rgb.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "exif.jpg"),
  PNG: images("rgb.png", "palette.png", "alpha.png", "deep.png", "bit.png"),
  "WebP, TIFF and GIF": images("rgb.webp", "rgb.tif", "cmyk.tif", "palette.gif"),
};

for (const [name, originals] of Object.entries(FORMATS)) {
  Deno.test(`decodeImage() decodes or refuses damaged ${name}`, async () => {
    sharp.cache(false);
    const read = (bytes: Uint8Array<ArrayBuffer>) => decodeImage(sharp, bytes, { ...SPEC, maxPixels: 4_000_000 });
    const damage = name === "PNG" ? (...args: Parameters<typeof mutate>) => repairPng(mutate(...args)) : mutate;
    await readMutants({ name, originals, read, damage, share: 0.3 }, checkReason);
  });
}
