import sharp from "sharp";
import { key } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";

/** Waves with a little noise, which compress about as photographs do; `seed` moves them. */
export function picture(width: number, height: number, seed = 0): Uint8Array<ArrayBuffer> {
  const noise = uniformNumbers(4096, key(1));
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width + 31 * seed, Math.floor(i / 3 / width) + 17 * seed];
    return 128 + 60 * Math.sin(x / 17 + (i % 3)) + 40 * Math.cos(y / 23) + 24 * (noise[(i * 7) % 4096]! - 0.5);
  });
}

/** Writes that many JPEG files of a size into a folder. */
export async function writePhotographs(folder: string, count: number, size: { width: number; height: number }) {
  const { width, height } = size;
  for (let i = 0; i < count; i++) {
    const raw = { width, height, channels: 3 } as const;
    await sharp(picture(width, height, i), { raw }).jpeg().toFile(`${folder}/${String(i).padStart(4, "0")}.jpg`);
  }
}
