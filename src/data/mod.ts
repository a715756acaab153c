/**
 * Data sets as people have them on disk, priors, and small real images to try things on.
 *
 * @module
 */
export * from "./augment/mod.ts";
export * from "./views/mod.ts";
export type { Features } from "./features.ts";
export { type CubAttributesOptions, loadCubAttributes, loadUtZapposAttributes } from "./priors/attributes.ts";
export { type ExtractOptions, type ExtractProgress, extractTar, extractZip } from "./files/archive.ts";
export { type CheXpertOptions, type CheXpertView, loadCheXpert } from "./sets/chexpert.ts";
export { type CifarOptions, loadCifar10, loadCifar100 } from "./sets/cifar.ts";
export { type Cub200Options, loadCub200 } from "./sets/cub200.ts";
export {
  type Channels,
  type ClassLabels,
  type DatasetBase,
  type DecodeSpec,
  type FileDataset,
  type FileStore,
  type ImageDataset,
  type Labels,
  type MultiLabels,
  NORMALIZATION,
  type PixelDataset,
  type PixelStore,
  type PriorRows,
  subset,
  takeFirst,
  takeStratified,
} from "./dataset.ts";
export {
  decodeAhead,
  type DecodedImage,
  type DecoderOptions,
  ImageDecoder,
  preload,
  type UnreadableImage,
} from "./images/decode.ts";
export { type DemoOptions, writeDemo } from "./sets/demo.ts";
export type { DemoName } from "./sets/demo_layouts.ts";
export { download, type DownloadOptions, type DownloadProgress, md5Of } from "./files/download.ts";
export { emojiDataset, type EmojiSet, type EmojiVendor, loadEmoji, type LoadEmojiOptions } from "./sets/emoji.ts";
export { type FolderOptions, loadFolder } from "./sets/folder.ts";
export { type ImageNet100Options, loadImageNet100 } from "./sets/imagenet100.ts";
export { joinClasses } from "./join_classes.ts";
export { type ObtainOptions, type ObtainProgress } from "./files/obtain.ts";
export { collectPrior, type LoadedPrior, loadPrior, type PriorOptions, savePrior } from "./priors/prior.ts";
export { centerCrop, resizeBilinear } from "./images/resize.ts";
export type { RgbImage } from "./images/rgb_image.ts";
export { loadUtZappos, type UtZapposOptions } from "./sets/utzappos.ts";
