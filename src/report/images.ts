import { loadSharp } from "./sharp.ts";

/**
 * PNG data URIs of RGB images, for a page that needs no network.
 *
 * @param pixels Bytes `[n, height, width, 3]`.
 */
export async function dataUris(pixels: Uint8Array, height: number, width: number): Promise<string[]> {
  const sharp = await loadSharp();
  const size = height * width * 3;
  const encode = async (i: number) => {
    const raw = { width, height, channels: 3 } as const;
    const png = await sharp(pixels.subarray(i * size, (i + 1) * size), { raw }).png({ palette: true, effort: 4 })
      .toBuffer();
    return `data:image/png;base64,${png.toString("base64")}`;
  };
  return await Promise.all(Array.from({ length: pixels.length / size }, (_, i) => encode(i)));
}

/**
 * A PNG of square pictures side by side, from the left, as many rows as columns, for TensorBoard's projector.
 *
 * @param pictures Bytes `[side, side, 3]` each; one that is absent stays white.
 */
export async function spriteSheet(
  pictures: readonly (Uint8Array | undefined)[],
  side: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const sharp = await loadSharp();
  const columns = Math.ceil(Math.sqrt(pictures.length));
  const width = columns * side;
  const sheet = new Uint8Array(width * width * 3).fill(255);
  pictures.forEach((picture, i) => {
    const [left, top] = [(i % columns) * side, Math.floor(i / columns) * side];
    for (let y = 0; picture && y < side; y++) {
      sheet.set(picture.subarray(y * side * 3, (y + 1) * side * 3), ((top + y) * width + left) * 3);
    }
  });
  return Uint8Array.from(await sharp(sheet, { raw: { width, height: width, channels: 3 } }).png().toBuffer());
}
