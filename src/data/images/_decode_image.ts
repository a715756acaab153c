import { contentOf, IMAGE_CONTENTS, isReadableImage, quoted } from "../../formats/internal.ts";
import type { DecodeSpec } from "../dataset.ts";
import { checkScans } from "./_jpeg_scans.ts";
import { readableTiff } from "./_tiff.ts";
import { applySpec, toGray } from "./resize.ts";
import type { RgbImage } from "./rgb_image.ts";

const MAX_PIXELS = 178_956_970; // Pillow refuses more too
const SHRINK_ABOVE = 2 ** 24;
const MAX_SIDE = 65535; // what a JPEG can have
const MAX_FILE = 2 ** 30; // bytes
const MAX_SECONDS = 60;

type Sharp = typeof import("sharp").default;

/**
 * Decodes one image file to RGB bytes, as Pillow's `convert("RGB")` would, to the bit for 8-bit JPEG, PNG, WebP and
 * TIFF: colour profiles are not applied, the orientation only in TIFF, CMYK is turned by the plain formula. Where Pillow
 * would harm the image we differ: transparency is laid over white, and 16-bit values keep their upper byte instead of
 * being clipped at 255; what the first picture of a GIF leaves uncovered is black. An image of more than `spec.shrinkAbove` pixels or a side above `spec.longSide` is made smaller
 * while it is decoded.
 */
export async function decodeImage(
  sharp: Sharp,
  bytes: Uint8Array<ArrayBuffer>,
  spec: DecodeSpec,
): Promise<RgbImage> {
  if (!isReadableImage(bytes)) {
    throw new SyntaxError(
      `Cannot decode an image as its content must be one of ${IMAGE_CONTENTS.join(", ")}: got ${contentOf(bytes)}`,
    );
  }
  const image = await explained(() => decodePixels(sharp, readableTiff(bytes), spec));
  return applySpec(spec.grayscale ? toGray(image) : image, spec);
}

async function decodePixels(sharp: Sharp, bytes: Uint8Array<ArrayBuffer>, spec: DecodeSpec): Promise<RgbImage> {
  // Truncated files and broken pixels are errors; warnings (a stray byte after the end) are not, as with Pillow.
  const input = { failOn: "error", limitInputPixels: false, ignoreIcc: true } as const;
  const { space, format, orientation = 1, width = 0, height = 0 } = await sharp(bytes, input).metadata();
  checkPixels({ height, width }, spec);
  checkScans(bytes, width * height);
  const turned = format === "tiff" && orientation > 1;
  const reader = sharp(bytes, { ...input, autoOrient: turned }).timeout({ seconds: MAX_SECONDS });
  const size = decodedSize(turned && orientation > 4 ? { height: width, width: height } : { height, width }, spec);
  const sized = size ? reader.resize({ ...size, fit: "fill" }) : reader;
  const cmyk = space === "cmyk";
  const pipeline = cmyk
    ? sized.pipelineColourspace("cmyk").toColourspace("cmyk")
    : sized.flatten({ background: "#ffffff" }).toColourspace("srgb");
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  const pixels = cmyk && info.channels === 4 ? cmykToRgb(data) : new Uint8Array(data);
  if (pixels.length === info.height * info.width * 3) {
    return { data: pixels, height: info.height, width: info.width };
  }
  throw new SyntaxError(
    `Cannot decode an image as its colours must be gray, RGB or CMYK: got ${info.channels} channels`,
  );
}

/** Puts what libvips says, which may be "Unknown error" in several lines, into a sentence. */
async function explained<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (!(cause instanceof Error) || cause.message.startsWith("Cannot ")) throw cause;
    const said = cause.message.split(/\s*\n\s*/).map((line) => line.replace(/[:\s]+$/, "")).filter((line) =>
      line !== ""
    );
    throw new SyntaxError(
      `Cannot decode an image as it must be whole: got ${quoted([...new Set(said)].join(", "), 200)}`,
      {
        cause,
      },
    );
  }
}

/** Reads a file that may be an image: no device or pipe, and not larger than one can be. */
export async function readImageFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, size } = await Deno.stat(path);
  if (isFile && size <= MAX_FILE) return await Deno.readFile(path);
  const got = isFile ? `${size} bytes` : "something else";
  throw new RangeError(`Cannot read an image as it must be a file of at most ${MAX_FILE} bytes: got ${got}`);
}

interface Size {
  height: number;
  width: number;
}

function checkPixels({ height, width }: Size, { maxPixels = MAX_PIXELS }: DecodeSpec): void {
  if (height * width <= maxPixels) return;
  throw new RangeError(
    `Cannot decode an image as it must have at most ${maxPixels} pixels (maxPixels): got ${width} x ${height}`,
  );
}

/** Computes the size that an image which is too large is shrunk to, of the same aspect ratio; null for the others. */
function decodedSize(
  { height, width }: Size,
  { shrinkAbove = SHRINK_ABOVE, longSide = MAX_SIDE }: DecodeSpec,
): Size | null {
  if (height > MAX_SIDE || width > MAX_SIDE) {
    throw new RangeError(
      `Cannot decode an image as its sides must be at most ${MAX_SIDE} px: got ${width} x ${height}`,
    );
  }
  const factor = Math.min(Math.sqrt(shrinkAbove / (height * width)), longSide / Math.max(height, width));
  if (factor >= 1) return null;
  return { height: Math.max(1, Math.floor(height * factor)), width: Math.max(1, Math.floor(width * factor)) };
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
