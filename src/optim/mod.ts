/**
 * Optimizers (SGD, LARS, Adam, AdamW), learning-rate schedules, clipping of gradients and moving averages of weights.
 *
 * @module
 */
export type { Scaling, Slot } from "./_many.ts";
export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { clipGradNorm, type ClipGradNormOptions } from "./clip.ts";
export { EMA, type EMAOptions } from "./ema.ts";
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
