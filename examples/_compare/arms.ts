import { type Device, key, shuffled, tensor } from "../../mod.ts";
import { ProgressDisplay } from "../../src/cli/mod.ts";
import { naturalRecipe, type PriorRows, ResidentImages } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";
import { pretrain } from "../../src/train/mod.ts";
import type { QuickstartData } from "../_quickstart/data.ts";
import { encodeAll, score, type Scores } from "../_quickstart/evaluate.ts";
import { makeModel, toImages } from "../_quickstart/run.ts";
import type { CompareFlags } from "./flags.ts";
import { linearProbe } from "./linear_probe.ts";

/** What is compared. Weights, order of the images and augmentation of a seed are the same in all of them. */
export const ARMS = ["untrained", "no prior", "prior", "shuffled prior"] as const;

/** One of {@linkcode ARMS}. */
export type Arm = (typeof ARMS)[number];

/** What a run says of the held-out emoji; every number is a share in [0, 1]. */
export interface ArmScores extends Scores {
  /** The category is read off by a linear classifier. */
  readonly linearCategory: number;
  /** The subcategory is. */
  readonly linearSubcategory: number;
}

/** One arm with one seed, trained and evaluated. */
export async function runArm(
  device: Device,
  data: QuickstartData,
  arm: Arm,
  seed: number,
  flags: CompareFlags,
  signal: AbortSignal,
): Promise<ArmScores | null> {
  const model = makeModel({ width: flags.width, seed });
  try {
    if (arm !== "untrained") await train(device, data, model, arm, seed, flags, signal);
    return signal.aborted ? null : await evaluateArm(device, data, model);
  } finally {
    model.dispose();
  }
}

async function train(
  device: Device,
  { train: images }: QuickstartData,
  model: Contrastive,
  arm: Arm,
  seed: number,
  flags: CompareFlags,
  signal: AbortSignal,
): Promise<void> {
  const recipe = naturalRecipe({ size: 32, mean: images.mean, std: images.std });
  const source = new ResidentImages(device, images.pixels, recipe);
  const words = arm === "shuffled prior" ? shuffledRows(images.prior, seed) : images.prior;
  using rows = tensor(words.data, { shape: [images.length, words.dim], device });
  const usesPrior = arm === "prior" || arm === "shuffled prior";
  const display = new ProgressDisplay();
  const config = {
    epochs: flags.epochs,
    batchSize: flags.batch_size,
    lr: flags.lr * flags.batch_size / 256,
    seed,
    kernel: usesPrior ? rbf({ sigma: flags.sigma }) : undefined,
    signal,
  };
  const prior = usesPrior ? rows : undefined;
  for await (const { epoch, step, steps, loss, align } of pretrain(model, { source, prior }, config)) {
    display.update({
      label: `${arm}, seed ${seed}`,
      done: (epoch + step / steps) / flags.epochs,
      values: [["loss", loss.toFixed(3)], ["alignment", align.toFixed(3)]],
    });
  }
  source.dispose();
}

/** The same rows, given to other images: a prior with the same statistics that knows nothing. */
export function shuffledRows({ data, dim, columns }: PriorRows, seed: number): PriorRows {
  const order = shuffled(data.length / dim, key(seed, 99));
  const out = new Float32Array(data.length);
  order.forEach((row, i) => out.set(data.subarray(row * dim, (row + 1) * dim), i * dim));
  return { data: out, dim, columns };
}

async function evaluateArm(device: Device, data: QuickstartData, model: Contrastive): Promise<ArmScores> {
  const encoded = await encodeAll(model, data, toImages(device));
  const { scores } = score(encoded, data);
  const probe = async (labels: Int32Array, held: Int32Array) => {
    const rates = await linearProbe(encoded.trained, labels, [encoded.twitter, encoded.google]);
    return rates.reduce((sum, predicted) => sum + share(predicted, held) / rates.length, 0);
  };
  return {
    ...scores,
    linearCategory: await probe(data.train.labels, data.category),
    linearSubcategory: await probe(data.trainSubcategory, data.subcategory),
  };
}

function share(predicted: Int32Array, labels: Int32Array): number {
  return labels.reduce((hits, label, i) => hits + Number(predicted[i] === label), 0) / labels.length;
}
