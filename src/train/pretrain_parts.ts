import { CosineAnnealingLR, LARS, type Optimizer, SGD } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { PretrainConfig, PretrainData } from "./pretrain.ts";

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

/** Sizes of the batches of an epoch; each of the `ranks` has at least two samples of every batch. */
export function batchSizes(length: number, batchSize: number, dropLast: boolean, ranks = 1): number[] {
  const sizes = new Array<number>(Math.floor(length / batchSize)).fill(batchSize);
  const rest = length % batchSize;
  if (rest >= 2 * ranks && !dropLast) sizes.push(rest);
  return sizes;
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

/** The sum of sizes. */
export function countOf(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** Samples a second. */
export class Clock {
  #start = performance.now();
  #last = this.#start;
  #samples = 0;

  /** Takes note of samples. */
  count(samples: number): void {
    this.#samples += samples;
  }

  /** The rate since the last call, and seconds since the start. */
  read(): { imagesPerSecond: number; seconds: number } {
    const now = performance.now();
    const imagesPerSecond = 1000 * this.#samples / (now - this.#last);
    this.#samples = 0;
    this.#last = now;
    return { imagesPerSecond, seconds: (now - this.#start) / 1000 };
  }
}
