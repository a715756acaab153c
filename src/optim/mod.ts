/**
 * Optimizers (SGD, LARS) and learning-rate schedules.
 *
 * @module
 */
export type { Scaling, Slot } from "./_many.ts";
export { GradScaler, type GradScalerOptions, type GradScalerState } from "./grad_scaler.ts";
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
