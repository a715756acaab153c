// What other folders use beside mod.ts; not part of the package's interface.
export type { PriorRows } from "./dataset.ts";
export { applySpec, toGray } from "./images/resize.ts";
export { bindingBytes, imagesAtOnce, largestFitting, leastOf, partSizes, rowsAtOnce, split } from "./views/fitting.ts";
export { EVALUATION_BATCH } from "./views/labelled_images.ts";
export { valuesOf } from "./views/multi_crop_views.ts";
export { defaultWorkers } from "./images/decode.ts";
export { MOST_WORKERS } from "./images/worker_pool.ts";
export { takeRows } from "./take_rows.ts";
