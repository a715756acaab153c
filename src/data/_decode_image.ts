import type { DecodeSpec } from "./dataset.ts";
import { applySpec, type RgbImage, toGray } from "./resize.ts";

const MAX_PIXELS = 100_000_000;

type Sharp = typeof import("sharp").default;

/**
 * Decodes one image file to RGB bytes, as Pillow's `convert("RGB")` would, to the bit for 8-bit JPEG, PNG, WebP and TIFF: colour
 * profiles and the EXIF orientation are not applied, CMYK is turned by the plain formula. Where Pillow would harm the image we
 * differ: transparency is laid over white, and 16-bit values keep their upper byte instead of being clipped at 255.
 */
export async function decodeImage(
  sharp: Sharp,
  bytes: Uint8Array<ArrayBuffer>,
  spec: DecodeSpec,
): Promise<RgbImage> {
  const cmyk = jpegComponents(bytes) === 4;
  const limitInputPixels = spec.maxPixels ?? MAX_PIXELS;
  // Truncated files and broken pixels are errors; warnings (a stray byte after the end) are not, as with Pillow.
  const reader = sharp(bytes, { failOn: "error", limitInputPixels, ignoreIcc: true });
  const pipeline = cmyk
    ? reader.pipelineColourspace("cmyk").toColourspace("cmyk")
    : reader.flatten({ background: "#ffffff" }).toColourspace("srgb");
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  const pixels = cmyk ? cmykToRgb(data) : new Uint8Array(data);
  const image = { data: pixels, height: info.height, width: info.width };
  if (pixels.length !== image.height * image.width * 3) {
    throw new SyntaxError(`Cannot decode an image of ${info.channels} channels`);
  }
  return applySpec(spec.grayscale ? toGray(image) : image, spec);
}

function cmykToRgb(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(data.length / 4 * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const light = 255 - data[from + 3]!;
    for (let c = 0; c < 3; c++) {
      const product = data[from + c]! * light + 128;
      out[to + c] = Math.max(0, light - ((product >> 8) + product >> 8));
    }
  }
  return out;
}

/** Colour components of a JPEG, from its frame header; 0 when it is no JPEG or has none. */
export function jpegComponents(bytes: Uint8Array): number {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return 0;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (frame) return bytes[at + 9]!;
    at += marker === 0xff ? 1 : 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return 0;
}
