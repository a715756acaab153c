/**
 * Sources of augmented views: from bytes on the device, from bytes of the host, from files. Importing them touches no
 * file, so that a page can train on images in memory.
 *
 * @module
 */
export { batchSizes, countOf } from "./batches.ts";
export { planOfRank } from "./distributed_plan.ts";
export { imageSource, type ImageSourceOptions } from "./image_source.ts";
export { type EvaluationBatch, evaluationBatches, type EvaluationOptions, someRows } from "./labelled_images.ts";
export { type MultiCropRecipes, unpackViews, type ViewRecipes, withLocalCrops } from "./multi_crop_views.ts";
export { ResidentImages } from "./resident_images.ts";
export { type SourceTimes, StreamedImages, type StreamedImagesOptions } from "./streamed_images.ts";
export { UploadedImages } from "./uploaded_images.ts";
export type { EpochPlan, SizedViews, ViewBatch, ViewSource } from "./view_source.ts";
