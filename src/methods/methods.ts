import { detach, noGrad } from "../autograd/mod.ts";
import { centroidWeights, type Kernel } from "../kernels/mod.ts";
import {
  alignUniform,
  barlowTwins,
  byol,
  cclK,
  decoupledUniformityMetrics,
  infoNCE,
  moCo,
  negativeCosine,
  vicReg,
  yAware,
} from "../losses/mod.ts";
import { compareClusters, identity } from "../losses/internal.ts";
import { equal, maximum, mul, reshape, slice } from "../ops/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";

/** Name of a method. */
export type MethodName =
  | "decoupled_uniformity"
  | "align_uniform"
  | "simclr"
  | "moco"
  | "byol"
  | "simsiam"
  | "barlow_twins"
  | "vicreg"
  | "supcon"
  | "yaware"
  | "cclk"
  | "cl_infonce";

/** Tensors that the loss of a method is computed of. */
export interface MethodInput {
  /** Projections of the samples that are compared, or what the predictor makes of them, `[batch, views, features]`. */
  readonly z: Tensor;
  /** Projections that are aimed at, of the same shape; null for a method without. */
  readonly targets: Tensor | null;
  /** Unit-length keys of earlier batches, `[members, features]`; null for a method without a queue. */
  readonly queue: Tensor | null;
  /** Prior of the samples, `[batch, d]`; of a method that takes classes the class, `[batch, 1]`. */
  readonly prior: Tensor | null;
  /** Similarity of priors. */
  readonly kernel: Kernel | undefined;
  /** Ridge λ. */
  readonly ridge: number;
  /** Inverse squared distance t. */
  readonly t: number;
  /** Temperature τ. */
  readonly temperature: number;
}

/** One method of contrastive learning: its loss, and what it needs. */
export interface Method {
  /** Name for people. */
  readonly title: string;
  /**
   * Use of a prior: `"kernel"`, needs one and a kernel of it; `"maybe"`, takes both or none; `"classes"`, needs
   * one, whose rows are classes; `"none"`, takes none.
   */
  readonly prior: "kernel" | "maybe" | "classes" | "none";
  /** Least views of a sample, and most. */
  readonly views: readonly [number, number];
  /** Temperature τ, where there is one. */
  readonly temperature?: number;
  /** Whether the head normalises between its layers. */
  readonly norm?: boolean;
  /** Whether a predictor follows the head. */
  readonly predictor?: boolean;
  /** Targets of the loss: the projections themselves, without gradient, or those of a momentum encoder. */
  readonly targets?: "self" | "momentum";
  /** Weight of what was before in the momentum encoder, at the start. */
  readonly momentum?: number;
  /** Whether the momentum rises to 1 along a cosine. */
  readonly rises?: boolean;
  /** Keys that the queue holds. */
  readonly queue?: number;
  /** The loss, `[]`, by itself or with the mean squared length of the centroids that it looks at. */
  loss(input: MethodInput): Tensor | { readonly loss: Tensor; readonly centroid_square: Tensor };
}

const TWO = [2, 2] as const;
const MANY = [2, Infinity] as const;

/** The methods that `--method` names, with the defaults of their papers. */
export const METHODS: Readonly<Record<MethodName, Method>> = {
  decoupled_uniformity: {
    title: "decoupled uniformity (Dufumier et al. 2022)",
    prior: "maybe",
    views: [1, Infinity],
    loss: ({ z, t, ...rest }) => decoupledUniformityMetrics(z, { t, weights: rest.prior ? alphaOf(rest) : undefined }),
  },
  align_uniform: {
    title: "alignment and uniformity (Wang and Isola 2020)",
    prior: "none",
    views: TWO,
    loss: ({ z, t }) => alignUniform(z, { t }),
  },
  simclr: {
    title: "SimCLR (Chen et al. 2020)",
    prior: "none",
    views: MANY,
    temperature: 0.5,
    norm: true,
    loss: ({ z, temperature }) => infoNCE(z, { temperature }),
  },
  moco: {
    title: "MoCo v2 (He et al. 2020, Chen et al. 2020)",
    prior: "none",
    views: TWO,
    temperature: 0.2,
    targets: "momentum",
    momentum: 0.999,
    queue: 4096, // the authors' for CIFAR-10; 65,536 for ImageNet
    loss: ({ z, targets, queue, temperature }) => moCo(z, targets!, { queue: queue!, temperature }),
  },
  byol: {
    title: "BYOL (Grill et al. 2020)",
    prior: "none",
    views: MANY,
    norm: true,
    predictor: true,
    targets: "momentum",
    momentum: 0.996,
    rises: true,
    loss: ({ z, targets }) => byol(z, targets!),
  },
  simsiam: {
    title: "SimSiam (Chen and He 2021)",
    prior: "none",
    views: MANY,
    norm: true,
    predictor: true,
    targets: "self",
    loss: ({ z, targets }) => negativeCosine(z, targets!),
  },
  barlow_twins: {
    title: "Barlow Twins (Zbontar et al. 2021)",
    prior: "none",
    views: TWO,
    norm: true,
    loss: ({ z }) => barlowTwins(z),
  },
  vicreg: {
    title: "VICReg (Bardes et al. 2022)",
    prior: "none",
    views: TWO,
    norm: true,
    loss: ({ z }) => vicReg(z),
  },
  supcon: {
    title: "SupCon with the prior's rows as weak labels (Khosla et al. 2020)",
    prior: "classes",
    views: MANY,
    temperature: 0.1,
    loss: ({ z, prior, temperature }) => yAware(z, { weights: sameClass(prior!), temperature }),
  },
  yaware: {
    title: "y-Aware InfoNCE (Dufumier et al. 2021)",
    prior: "kernel",
    views: MANY,
    temperature: 0.1,
    loss: ({ z, prior, kernel, temperature }) => yAware(z, { weights: similarity(prior!, kernel!), temperature }),
  },
  cclk: {
    title: "CCL-K (Tsai et al. 2022)",
    prior: "kernel",
    views: TWO,
    temperature: 0.1,
    loss: ({ z, temperature, ...rest }) => cclK(z, { weights: alphaOf(rest), temperature }),
  },
  cl_infonce: {
    title: "Cl-InfoNCE (Tsai et al. 2022)",
    prior: "classes",
    views: TWO,
    temperature: 0.1,
    loss: ({ z, prior, temperature }) => compareClusters(z, sameClass(prior!), temperature),
  },
};

/** Names of the methods, in the order of their table. */
export const METHOD_NAMES: readonly MethodName[] = Object.keys(METHODS) as MethodName[];

/** The default of a setting that only some methods have, by their names. */
export function defaultsOf(setting: "temperature" | "momentum" | "queue"): Readonly<Record<string, number>> {
  const own = METHOD_NAMES.map((name) => [name, METHODS[name][setting]] as const);
  return Object.fromEntries(own.filter((each): each is [MethodName, number] => each[1] !== undefined));
}

function alphaOf({ prior, kernel, ridge }: Pick<MethodInput, "prior" | "kernel" | "ridge">): Tensor {
  return noGrad(() => centroidWeights(prior!, { kernel: kernel!, ridge }));
}

/**
 * Similarities as weights: a kernel that can be negative, as the cosine, counts as 0 there; a sample that is like none, as one
 * of which nothing is known (a row of zeros), is like itself.
 */
function similarity(prior: Tensor, kernel: Kernel): Tensor {
  const itself = () => mul(identity(prior.shape[0]!, prior.device), ITSELF);
  return noGrad(() => tidy(() => maximum(kernel(prior, prior), itself())));
}

/** Least similarity of a sample with itself: negligible beside others, and all of its weight where there are none. */
const ITSELF = 1e-6;

/** 1 for two samples of a class, else 0. */
function sameClass(prior: Tensor): Tensor {
  const [batch] = prior.shape as [number];
  return noGrad(() => tidy(() => equal(reshape(prior, [batch, 1]), reshape(prior, [1, batch]))));
}

/** The two halves of embeddings that were joined by {@linkcode Objective.embed}: what is learnt, and what is aimed at. */
export function halvesOf(joined: Tensor): [Tensor, Tensor] {
  const width = joined.shape[2]! / 2;
  const half = (start: number) => slice(joined, [null, null, { start, stop: start + width }]);
  return [half(0), detach(half(width))];
}

/** Lists the methods that take a prior, for messages. */
export function thoseWithPrior(): string {
  const names = Object.entries<Method>(METHODS).filter(([, { prior }]) => prior !== "none").map(([name]) => name);
  return `methods that take one are ${names.join(", ")}`;
}
