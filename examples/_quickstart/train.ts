import { type Device, key, shuffled, type Tensor, tensor } from "../../mod.ts";
import { naturalRecipe, type PriorRows, ResidentImages } from "../../src/data/mod.ts";
import { type Contrastive, contrastive, defaultInit, kaimingNormal, ResNet } from "../../src/nn/mod.ts";
import { type MethodName, METHODS, pretrain, type PretrainReport } from "../../src/train/mod.ts";
import { clustersOf, equalRows } from "../../src/jobs/pretrain/prior_classes.ts";
import type { QuickstartData } from "./data.ts";
import { keywordPrior, type PriorName, type Recipe } from "./recipe.ts";

/** One run of training. */
export interface Training {
  /** Recipe, but for the prior. */
  readonly recipe: Omit<Recipe, "prior" | "version">;
  /** Weights, order of the images and augmentation. */
  readonly seed: number;
  /** Method that is learnt by; decoupled uniformity by default. */
  readonly method?: MethodName;
  /** The keywords as a kernel; none: no prior. */
  readonly prior?: PriorName;
  /** Share of the images whose keywords are dealt out among them, in [0, 1]; 0 by default. */
  readonly shuffled?: number;
  /** Ends the training after the step that is under way. */
  readonly signal?: AbortSignal;
  /** Steps between two reports; 10 by default. */
  readonly printEvery?: number;
  /** Callback, awaited when the first step is recorded and before it runs. */
  readonly beforeFirstStep?: () => Promise<unknown>;
}

/** Initial weights of the convolutions, by whose they are. */
const INITS = { pytorch: defaultInit, torchvision: kaimingNormal } as const;

/** One of `pytorch` and `torchvision`. */
export type InitName = keyof typeof INITS;

/** Settings of {@linkcode makeModel}. */
export interface ModelSettings {
  /** Channels of the first stage. */
  readonly width: number;
  /** Seed of the weights. */
  readonly seed: number;
  /** Weights that the convolutions begin with: PyTorch's default or torchvision's; `pytorch` by default. */
  readonly init?: InitName;
  /** The method that the head is for; decoupled uniformity by default. */
  readonly method?: MethodName;
  /** Whether the network is a momentum encoder, which has no predictor; false by default. */
  readonly follows?: boolean;
}

/** Makes the quickstart's network: a stem of stride 2, one block a stage, 256 features. */
export function makeModel(settings: ModelSettings): Contrastive {
  const { width, seed, init = "pytorch", method = "decoupled_uniformity", follows } = settings;
  const layout = { block: "basic", layers: [1, 1, 1], widths: [width, 2 * width, 4 * width], smallStem: true } as const;
  const { norm, predictor } = METHODS[method];
  const head = { projection: 64, norm, predictor: predictor && !follows ? 64 : undefined, seed };
  return contrastive(new ResNet(layout, { numClasses: 256, seed, init: INITS[init] }), head);
}

/** Trains a model in place. */
export async function* trainEncoder(
  device: Device,
  { train }: QuickstartData,
  model: Contrastive,
  training: Training,
): AsyncGenerator<PretrainReport> {
  const { recipe, seed, method = "decoupled_uniformity", prior: name, shuffled: share = 0 } = training;
  const { signal, printEvery, beforeFirstStep } = training;
  using source = new ResidentImages(
    device,
    train.pixels,
    naturalRecipe({ size: 32, mean: train.mean, std: train.std }),
  );
  using prior = name ? await keywordPrior(name, shuffledRows(train.prior, seed, share), device) : null;
  using classes = METHODS[method].prior === "classes" ? classRows(train.prior, method, seed, device) : null;
  const { epochs, batchSize, ridge, width } = recipe;
  const lr = recipe.lr * batchSize / 256;
  const target = METHODS[method].targets === "momentum" ? makeModel({ width, seed, method, follows: true }) : undefined;
  try {
    const own = { method, target, ...method === "moco" ? { queue: QUEUE } : {} };
    const told = { signal, printEvery, beforeFirstStep };
    const config = { epochs, batchSize, lr, seed, ridge, kernel: prior?.kernel, ...told, ...own };
    yield* pretrain(model, { source, prior: classes ?? prior?.rows }, config);
  } finally {
    target?.dispose();
  }
}

/** Keys in MoCo's queue: a third of the drawings, so that few keys are older views of the same one. */
const QUEUE = 1024;

/** Clusters of keywords for Cl-InfoNCE: as many as the programs make. */
const CLUSTERS = 20;

/** Classes from keywords: the clusters of Cl-InfoNCE, else those with the same words. */
function classRows(words: PriorRows, method: MethodName, seed: number, device: Device): Tensor {
  const classes = method === "cl_infonce" ? clustersOf(words, CLUSTERS, seed) : equalRows(words);
  return tensor(Float32Array.from(classes), { shape: [classes.length, 1], device });
}

/** Shuffles a share of the rows among the images: a prior with the same statistics that knows less. */
export function shuffledRows(words: PriorRows, seed: number, share = 1): PriorRows {
  const { data, dim } = words;
  const n = data.length / dim;
  const dealt = shuffled(n, key(seed, 99)).slice(0, Math.round(share * n));
  const places = dealt.toSorted();
  const out = data.slice();
  dealt.forEach((row, i) => out.set(data.subarray(row * dim, (row + 1) * dim), places[i]! * dim));
  return { ...words, data: out };
}
