import type { Device } from "../device/mod.ts";
import { decodeAhead, type FileDataset, type ImageDataset, preload } from "../data/mod.ts";

/** Options of {@linkcode decodeOnce}. */
export interface DecodeOnceOptions {
  /** Size that the images are said to have, px; without one, files are read again and again. */
  readonly imageSize?: { readonly height: number; readonly width: number };
  /** Workers that decode. */
  readonly workers: number;
  /** Callback with the number of images done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Decodes images of one size once, when the device can bind them all together; they are then never read again. A set
 * whose first image has another size, such as UT-Zappos' square variant, is left in its files: nothing is squashed.
 */
export async function decodeOnce(
  device: Device,
  dataset: ImageDataset,
  options: DecodeOnceOptions,
): Promise<ImageDataset> {
  const { imageSize, workers, onProgress } = options;
  if (!imageSize || dataset.pixels) return dataset;
  const bytes = dataset.length * imageSize.height * imageSize.width * 3;
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  if (bytes > Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 31)) return dataset;
  if (!await beginsWith(dataset, imageSize)) return dataset;
  return await preload(dataset, { ...imageSize, workers, onProgress });
}

/** Whether the first image that can be read has this size. */
async function beginsWith(dataset: FileDataset, size: { height: number; width: number }): Promise<boolean> {
  for await (const { height, width } of decodeAhead(dataset, { workers: 1, ahead: 1 })) {
    return height === size.height && width === size.width;
  }
  return false;
}
