/**
 * PNG data URIs of RGB images, for a page that needs no network.
 *
 * @param pixels Bytes `[n, height, width, 3]`.
 */
export async function dataUris(pixels: Uint8Array, height: number, width: number): Promise<string[]> {
  const { default: sharp } = await import("sharp");
  const size = height * width * 3;
  const encode = async (i: number) => {
    const raw = { width, height, channels: 3 } as const;
    const png = await sharp(pixels.subarray(i * size, (i + 1) * size), { raw }).png({ palette: true, effort: 4 })
      .toBuffer();
    return `data:image/png;base64,${png.toString("base64")}`;
  };
  return await Promise.all(Array.from({ length: pixels.length / size }, (_, i) => encode(i)));
}
