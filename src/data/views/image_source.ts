import type { Device } from "../../device/mod.ts";
import type { ViewRecipes } from "./multi_crop_views.ts";
import type { ImageDataset } from "../dataset.ts";
import type { UnreadableImage } from "../images/decode.ts";
import { ResidentImages } from "./resident_images.ts";
import { StreamedImages } from "./streamed_images.ts";
import { UploadedImages } from "./uploaded_images.ts";
import type { ViewSource } from "./view_source.ts";
import { bindingBytes } from "./fitting.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode imageSource}. */
export interface ImageSourceOptions {
  /** Workers that decode. */
  workers?: number;
  /** Bytes of images in files that stay decoded for later epochs; 0 by default. */
  cacheBytes?: number;
  /** Callback for every unreadable file. */
  onUnreadable?: (image: UnreadableImage) => void;
}

/**
 * Makes views of a data set: from bytes on the device where they fit in what the adapter binds at once, from bytes in
 * host memory where they do not, from files otherwise.
 */
export function imageSource(
  device: Device,
  dataset: ImageDataset,
  recipe: ViewRecipes,
  options: ImageSourceOptions = {},
): ViewSource {
  checkOptions("make imageSource()", options, ["workers", "cacheBytes", "onUnreadable"]);
  if (!dataset.pixels) return new StreamedImages(device, dataset, recipe, options);
  const fits = dataset.pixels.data.length <= bindingBytes(device);
  return fits ? new ResidentImages(device, dataset.pixels, recipe) : new UploadedImages(device, dataset.pixels, recipe);
}
