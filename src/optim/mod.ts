/**
 * Optimizers (SGD, LARS) and learning-rate schedules.
 *
 * @module
 */
export type { Slot } from "./_many.ts";
export { LARS, type LARSOptions } from "./lars.ts";
export { Optimizer, type OptimizerState } from "./optimizer.ts";
export {
  CosineAnnealingLR,
  type CosineAnnealingOptions,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  Schedule,
} from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
