import type { RgbImage } from "./rgb_image.ts";
import { resizeWindow } from "./_bilinear.ts";
import type { DecodeSpec } from "../dataset.ts";

// 201 MB: more is a mistake, or a picture that is nearly a line.
const MAX_PIXELS = 2 ** 26;

/**
 * Resizes an image with an antialiased bilinear (triangle) filter, to the bit as Pillow's `Image.resize` does for 8-bit
 * images: a horizontal pass, rounded to bytes, then a vertical one.
 *
 * @param image The image.
 * @param size Height and width wanted, px, both at least 1.
 * @throws {RangeError} If a side is not a positive integer, or the result has more than 2²⁶ pixels.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resizeBilinear } from "@decoupled/uniformity/data";
 *
 * const image = { data: Uint8Array.of(0, 0, 0, 100, 100, 100), height: 1, width: 2 };
 *
 * assertEquals(resizeBilinear(image, { height: 1, width: 1 }).data, Uint8Array.of(50, 50, 50));
 * ```
 */
export function resizeBilinear(image: RgbImage, size: { height: number; width: number }): RgbImage {
  checkSize(image, size);
  return resizeWindow(image, size, { top: 0, left: 0, ...size });
}

function checkSize(image: RgbImage, size: { height: number; width: number }): void {
  for (const [name, side] of Object.entries({ height: size.height, width: size.width })) {
    if (!Number.isInteger(side) || side < 1) {
      throw new RangeError(`Cannot resize an image as ${name} must be a positive integer: current value is ${side}`);
    }
  }
  if (size.height * size.width > MAX_PIXELS) {
    throw new RangeError(
      `Cannot resize an image of ${image.width} x ${image.height} px as the result must have at most ${MAX_PIXELS} pixels: ` +
        `got ${size.width} x ${size.height}`,
    );
  }
}

/**
 * Cuts a square out of the middle, as torchvision's `CenterCrop`: halves are rounded to even, and a smaller image is
 * first padded with black.
 *
 * @param image The image.
 * @param side Side of the square, px.
 * @throws {RangeError} If `side` is not a positive integer.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { centerCrop } from "@decoupled/uniformity/data";
 *
 * const image = { data: Uint8Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3), height: 1, width: 3 };
 *
 * assertEquals(centerCrop(image, 1).data, Uint8Array.of(2, 2, 2));
 * ```
 */
export function centerCrop(image: RgbImage, side: number): RgbImage {
  checkSide(side);
  const top = cropOffset(image.height, side);
  const left = cropOffset(image.width, side);
  const out = new Uint8Array(side * side * 3);
  const from = Math.max(0, left);
  const columns = Math.min(image.width, left + side) - from;
  for (let y = 0; y < side; y++) {
    const row = y + top;
    if (row < 0 || row >= image.height) continue;
    const at = (row * image.width + from) * 3;
    out.set(image.data.subarray(at, at + columns * 3), (y * side + from - left) * 3);
  }
  return { data: out, height: side, width: side };
}

function checkSide(side: number): void {
  if (Number.isInteger(side) && side >= 1) return;
  throw new RangeError(`Cannot crop an image as side must be a positive integer: current value is ${side}`);
}

/** Returns the offset of a crop; negative when the image is smaller and is padded, the smaller half first. */
function cropOffset(length: number, side: number): number {
  if (length < side) return -Math.floor((side - length) / 2);
  const half = (length - side) / 2;
  const rounded = Math.round(half);
  return rounded - half === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/**
 * Applies the size part of a {@linkcode DecodeSpec}: resize, then centre crop. Only the pixels that the crop keeps are
 * made, so that a picture of 1 x 16,000 px costs no more than a square one.
 *
 * @param image The decoded image.
 * @param spec What to do.
 * @throws {RangeError} If a side is not a positive integer, or the result has more than 2²⁶ pixels.
 */
export function applySpec(image: RgbImage, spec: DecodeSpec): RgbImage {
  const size = spec.resize ? targetSize(image, spec.resize) : image;
  const side = spec.centerCrop;
  if (side === undefined) {
    if (!spec.resize) return image;
    if (spec.interpolation !== "bicubic") return resizeBilinear(image, size);
    checkSize(image, size);
    return resizeWindow(image, size, { top: 0, left: 0, height: size.height, width: size.width }, "bicubic");
  }
  if (!spec.resize) return centerCrop(image, side);
  checkSide(side);
  const height = Math.min(side, size.height);
  const width = Math.min(side, size.width);
  const top = Math.max(0, cropOffset(size.height, side));
  const left = Math.max(0, cropOffset(size.width, side));
  return centerCrop(resizeWindow(image, size, { top, left, height, width }, spec.interpolation), side);
}

function targetSize(
  image: RgbImage,
  resize: NonNullable<DecodeSpec["resize"]>,
): { height: number; width: number } {
  if (!("shortSide" in resize)) return resize;
  const { shortSide } = resize;
  return image.width <= image.height
    ? { height: Math.trunc(shortSide * image.height / image.width), width: shortSide }
    : { height: shortSide, width: Math.trunc(shortSide * image.width / image.height) };
}

/**
 * Luma of every pixel in all three channels: ITU-R 601 weights in 16-bit fixed point, as Pillow's `convert("L")`.
 *
 * @param image The image; it is changed in place.
 */
export function toGray(image: RgbImage): RgbImage {
  const { data } = image;
  for (let i = 0; i < data.length; i += 3) {
    data.fill((data[i]! * 19595 + data[i + 1]! * 38470 + data[i + 2]! * 7471 + 0x8000) >> 16, i, i + 3);
  }
  return image;
}
