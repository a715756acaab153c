import { batchSizes } from "../data/views/mod.ts";
import { checkMethod } from "./check_method.ts";
import type { PretrainData } from "./pretrain_types.ts";
import type { ResolvedConfig } from "./resolve.ts";
import type { Setting } from "./setting.ts";
import { type PretrainConfig, TRAINING } from "./settings.ts";

/** Checks what a run is given. */
export function checkPretrain(data: PretrainData, config: ResolvedConfig): void {
  checkChoices(config);
  checkMethod(data, config);
  checkCounts(config);
  const { source } = data;
  const { batchSize, dropLast, group, start, epochs } = config;
  if (source.length < 2) {
    throw new RangeError(`Cannot pretrain() as there must be at least 2 samples: got ${source.length}`);
  }
  const steps = batchSizes(source.length, batchSize, dropLast, group.size).length;
  if (steps === 0) {
    throw new RangeError(
      `Cannot pretrain() as dropLast leaves no batch of ${batchSize}: got ${source.length} samples`,
    );
  }
  const counts = [start.epoch, start.step].every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!counts || start.epoch < epochs && start.step >= steps) {
    throw new RangeError(
      `Cannot pretrain() as start must be an epoch >= 0 and one of its ${steps} steps: got epoch ${start.epoch}, step ` +
        `${start.step} (were the samples or the batch size others?)`,
    );
  }
}

function checkChoices(config: ResolvedConfig): void {
  const rows: (Setting & { readonly option: keyof PretrainConfig })[] = Object.values(TRAINING);
  for (const { option, choices } of rows) {
    if (!choices || choices.includes(String(config[option]))) continue;
    const allowed = choices.map((each) => `"${each}"`).join(" or ");
    throw new RangeError(`Cannot pretrain() as ${option} must be ${allowed}: got "${config[option]}"`);
  }
}

function checkCounts(config: ResolvedConfig): void {
  const { epochs, warmUp, batchSize, views, microBatch, printEvery, group: { size: ranks } } = config;
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw new RangeError(`Cannot pretrain() as epochs must be >= 1: got ${epochs}`);
  }
  if (!(Number.isInteger(printEvery) && printEvery >= 1)) {
    throw new RangeError(`Cannot pretrain() as printEvery must be an integer >= 1: got ${printEvery}`);
  }
  if (!(warmUp >= 0 && warmUp < epochs)) {
    throw new RangeError(`Cannot pretrain() as warmUp must be >= 0 and less than the ${epochs} epochs: got ${warmUp}`);
  }
  if (!(Number.isInteger(batchSize) && batchSize >= 2)) {
    throw new RangeError(
      `Cannot pretrain() as batchSize must be an integer >= 2 (the loss is of pairs): got ${batchSize}`,
    );
  }
  if (batchSize < 2 * ranks) {
    throw new RangeError(
      `Cannot pretrain() as batchSize must be >= ${2 * ranks} for ${ranks} ranks (2 samples each): got ${batchSize}`,
    );
  }
  const least = ranks > 1 ? 2 : 1;
  if (microBatch !== undefined && !(Number.isInteger(microBatch) && microBatch >= least)) {
    throw new RangeError(`Cannot pretrain() as microBatch must be an integer >= ${least}: got ${microBatch}`);
  }
  if (!(Number.isInteger(views) && views >= 1)) {
    throw new RangeError(`Cannot pretrain() as views must be >= 1: got ${views}`);
  }
}
