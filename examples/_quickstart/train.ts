import { type Device, key, shuffled } from "../../mod.ts";
import { naturalRecipe, type PriorRows, ResidentImages } from "../../src/data/mod.ts";
import { type Contrastive, contrastive, defaultInit, ResNet } from "../../src/nn/mod.ts";
import { pretrain, type PretrainReport } from "../../src/train/mod.ts";
import type { QuickstartData } from "./data.ts";
import { keywordPrior, type PriorName, type Recipe } from "./recipe.ts";

/** One run of training. */
export interface Training {
  /** Recipe, but for the prior. */
  readonly recipe: Omit<Recipe, "prior" | "version">;
  /** Weights, order of the images and augmentation. */
  readonly seed: number;
  /** The keywords as a kernel; none: no prior. */
  readonly prior?: PriorName;
  /** Share of the images whose keywords are dealt out among them, in [0, 1]; 0 by default. */
  readonly shuffled?: number;
  /** Ends the training after the step that is under way. */
  readonly signal?: AbortSignal;
  /** Steps between two reports; 10 by default. */
  readonly printEvery?: number;
}

/** The quickstart's network: a stem of stride 2, one block a stage, 256 features; PyTorch's default weights. */
export function makeModel({ width, seed }: { readonly width: number; readonly seed: number }): Contrastive {
  const layout = { block: "basic", layers: [1, 1, 1], widths: [width, 2 * width, 4 * width], smallStem: true } as const;
  return contrastive(new ResNet(layout, { numClasses: 256, seed, init: defaultInit }), { projection: 64, seed });
}

/** Trains a model in place. */
export async function* trainEncoder(
  device: Device,
  { train }: QuickstartData,
  model: Contrastive,
  { recipe, seed, prior: name, shuffled: share = 0, signal, printEvery }: Training,
): AsyncGenerator<PretrainReport> {
  using source = new ResidentImages(
    device,
    train.pixels,
    naturalRecipe({ size: 32, mean: train.mean, std: train.std }),
  );
  using prior = name ? await keywordPrior(name, shuffledRows(train.prior, seed, share), device) : null;
  const { epochs, batchSize, ridge } = recipe;
  const lr = recipe.lr * batchSize / 256;
  const config = { epochs, batchSize, lr, seed, ridge, kernel: prior?.kernel, signal, printEvery };
  yield* pretrain(model, { source, prior: prior?.rows }, config);
}

/** The same rows, a share of them given to other images: a prior with the same statistics that knows less. */
export function shuffledRows(words: PriorRows, seed: number, share = 1): PriorRows {
  const { data, dim } = words;
  const n = data.length / dim;
  const dealt = shuffled(n, key(seed, 99)).slice(0, Math.round(share * n));
  const places = dealt.toSorted();
  const out = data.slice();
  dealt.forEach((row, i) => out.set(data.subarray(row * dim, (row + 1) * dim), places[i]! * dim));
  return { ...words, data: out };
}
