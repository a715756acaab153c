import { cosine, type Kernel, medianSigma, rbf } from "../../src/kernels/mod.ts";
import type { PriorRows } from "../../src/data/mod.ts";
import { type Device, type Tensor, tensor } from "../../mod.ts";

/** Ways in which the keywords of emoji become a kernel. */
export const PRIORS = ["cosine-idf", "cosine", "rbf-1", "rbf-median"] as const;

/** One of {@linkcode PRIORS}. */
export type PriorName = (typeof PRIORS)[number];

/** Settings that an encoder of the quickstart is trained with. */
export interface Recipe {
  /** Raised when code changes that trains or scores, so that numbers made before are not taken for this code's. */
  readonly version: number;
  /** Passes over the training drawings. */
  readonly epochs: number;
  /** Channels of the first stage; the others have 2x and 4x. */
  readonly width: number;
  /** Samples of a step. */
  readonly batchSize: number;
  /** Learning rate at the start of the cosine, for a batch of 256. */
  readonly lr: number;
  /** λ of the centroid weights. */
  readonly ridge: number;
  /** The kernel on the keywords. */
  readonly prior: PriorName;
}

/** The recipe of the quickstart and of README's table, chosen on validation emoji (docs/results.md, "The recipe"). */
export const RECIPE: Recipe = {
  version: 1,
  epochs: 8,
  width: 16,
  batchSize: 256,
  lr: 0.3,
  ridge: 0.01,
  prior: "cosine-idf",
};

/** First 12 digits of the SHA-256 of a recipe: what a table says that it was made with. */
export async function recipeDigest(recipe: Recipe): Promise<string> {
  const text = JSON.stringify(Object.entries(recipe).sort(([a], [b]) => a < b ? -1 : 1));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 12);
}

/** Rows on the device and the kernel on them. */
export interface KeywordPrior extends Disposable {
  readonly rows: Tensor;
  readonly kernel: Kernel;
}

/** Puts keywords on the device, as a kind of prior takes them. */
export async function keywordPrior(name: PriorName, words: PriorRows, device: Device): Promise<KeywordPrior> {
  const { data, dim } = name === "cosine-idf" ? rareWeighMore(words) : words;
  const rows = tensor(data, { shape: [data.length / dim, dim], device });
  const kernel = name === "rbf-1"
    ? rbf({ sigma: 1 })
    : name === "rbf-median"
    ? rbf({ sigma: await medianSigma(rows) })
    : cosine();
  return { rows, kernel, [Symbol.dispose]: () => rows.dispose() };
}

/** Words times the root of their `log(n / images with it)`: two images with a rare word in common are more alike. */
export function rareWeighMore({ data, dim, columns }: PriorRows): PriorRows {
  const counts = new Float64Array(dim);
  data.forEach((v, i) => counts[i % dim]! += v);
  const n = data.length / dim;
  const weights = counts.map((count) => count > 0 ? Math.sqrt(Math.log(n / count)) : 0);
  return { data: data.map((v, i) => v * weights[i % dim]!), dim, columns };
}
