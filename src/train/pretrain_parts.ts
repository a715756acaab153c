import { CosineAnnealingLR, LARS, type Optimizer, SGD } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { PretrainConfig, PretrainData } from "./config.ts";
import { batchSizes } from "../data/mod.ts";

/** The loss of a run became NaN or infinite. */
export class LossNotFiniteError extends RangeError {
  /** `LossNotFiniteError`. */
  override name = "LossNotFiniteError";
}

/** Makes the optimizer and the schedule that a configuration asks for. */
export function makeOptimizer(parameters: readonly Tensor[], config: PretrainConfig): {
  optimizer: Optimizer;
  schedule: CosineAnnealingLR;
} {
  const { lr = 0.3, momentum, weightDecay, faithfulLars: faithful, etaMin = 1e-3, epochs } = config;
  const optimizer = config.optimizer === "lars"
    ? new LARS(parameters, { lr, momentum, weightDecay, faithful })
    : new SGD(parameters, { lr, momentum, weightDecay });
  return { optimizer, schedule: new CosineAnnealingLR(optimizer, { tMax: epochs, etaMin }) };
}

/** Checks what a run is given. */
export function checkPretrain({ source, prior }: PretrainData, config: PretrainConfig): void {
  const { epochs, batchSize = 256, views = 2, kernel, precision = "full" } = config;
  if (precision !== "full" && precision !== "mixed") {
    throw new RangeError(`Cannot pretrain() as precision must be "full" or "mixed": got "${precision}"`);
  }
  if (kernel && !prior) throw new TypeError("Cannot pretrain() as a kernel needs a prior: got none");
  if (prior && !kernel) throw new TypeError("Cannot pretrain() as a prior needs a kernel: got none");
  if (prior && (prior.shape.length !== 2 || prior.shape[0] !== source.length)) {
    throw new TypeError(`Cannot pretrain() as the prior must be [${source.length}, d]: got [${prior.shape}]`);
  }
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw new RangeError(`Cannot pretrain() as epochs must be >= 1: got ${epochs}`);
  }
  if (!(Number.isInteger(batchSize) && batchSize >= 2)) {
    throw new RangeError(
      `Cannot pretrain() as batchSize must be an integer >= 2 (the loss is of pairs): got ${batchSize}`,
    );
  }
  const ranks = config.group?.size ?? 1;
  if (batchSize < 2 * ranks) {
    throw new RangeError(
      `Cannot pretrain() as batchSize must be >= ${2 * ranks} for ${ranks} ranks (2 samples each): got ${batchSize}`,
    );
  }
  checkParts(config, ranks);
  if (!(Number.isInteger(views) && views >= 1)) {
    throw new RangeError(`Cannot pretrain() as views must be >= 1: got ${views}`);
  }
  if (source.length < 2) {
    throw new RangeError(`Cannot pretrain() as there must be at least 2 samples: got ${source.length}`);
  }
  if (batchSizes(source.length, batchSize, config.dropLast ?? false, ranks).length === 0) {
    throw new RangeError(
      `Cannot pretrain() as dropLast leaves no batch of ${batchSize}: got ${source.length} samples`,
    );
  }
}

function checkParts({ microBatch, batchStatistics = "part" }: PretrainConfig, ranks: number): void {
  const least = ranks > 1 ? 2 : 1;
  if (microBatch !== undefined && !(Number.isInteger(microBatch) && microBatch >= least)) {
    throw new RangeError(`Cannot pretrain() as microBatch must be an integer >= ${least}: got ${microBatch}`);
  }
  if (batchStatistics !== "part" && batchStatistics !== "batch") {
    throw new RangeError(`Cannot pretrain() as batchStatistics must be "part" or "batch": got "${batchStatistics}"`);
  }
}
