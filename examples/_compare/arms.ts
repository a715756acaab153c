import type { Device } from "../../mod.ts";
import { ProgressDisplay } from "../../src/cli/mod.ts";
import type { PriorRows } from "../../src/data/mod.ts";
import { type MethodName, METHODS } from "../../src/train/mod.ts";
import type { QuickstartData } from "../_quickstart/data.ts";
import { chance, encodeAll, MEASURES, type QueryScores, score } from "../_quickstart/evaluate.ts";
import { type PriorName, PRIORS, type Recipe } from "../_quickstart/recipe.ts";
import { type InitName, makeModel, trainEncoder } from "../_quickstart/train.ts";
import { imagePrior } from "./image_prior.ts";
import { linearProbe } from "./linear_probe.ts";

/** Arm of a comparison. Weights, order of the images and augmentation of a seed are the same in all arms. */
export interface Arm {
  /** Name, also of its files. */
  readonly name: string;
  /** Whether the arm is trained; true by default. */
  readonly trained?: boolean;
  /** Method that is learnt by; decoupled uniformity by default. */
  readonly method?: MethodName;
  /** The kernel on the keywords; none: no prior. */
  readonly prior?: PriorName;
  /** Whether the prior is an image encoder's features (see {@linkcode imagePrior}) instead of keywords; false by default. */
  readonly images?: boolean;
  /** Weights that the convolutions begin with; PyTorch's default ones by default. */
  readonly init?: InitName;
  /** λ; the recipe's by default. */
  readonly ridge?: number;
  /** Samples of a step; the recipe's by default. */
  readonly batchSize?: number;
  /** Learning rate at the start of the cosine, for a batch of 256; the recipe's by default. */
  readonly lr?: number;
  /** Share of the images whose keywords are dealt out among them; 0 by default. */
  readonly shuffled?: number;
}

/** Rates of methods whose losses, sums over features, are so steep that they diverge at the recipe's; not searched for. */
const RATES: Partial<Record<MethodName, number>> = { barlow_twins: 0.03, vicreg: 0.01 };

/** Sets of arms that `--arms` takes, by name. */
export const ARM_SETS = ["main", "kernels", "ridge", "shuffled", "batch", "image", "init", "methods"] as const;

/** One of {@linkcode ARM_SETS}. */
export type ArmSet = (typeof ARM_SETS)[number];

/** The arms of a set; `main` is in all of them, as what the others are compared with. */
export function armsOf({ prior, lr }: Recipe, set: ArmSet): Arm[] {
  const further: Record<ArmSet, Arm[]> = {
    main: [],
    kernels: PRIORS.filter((each) => each !== prior).map((each) => ({ name: `prior, ${each}`, prior: each })),
    ridge: [0.001, 0.1, 1].map((ridge) => ({ name: `prior, λ = ${ridge}`, prior, ridge })),
    shuffled: [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => ({
      name: `prior, ${100 * share} % shuffled`,
      prior,
      shuffled: share,
    })),
    batch: [64, 512].flatMap((batchSize) => [
      { name: `no prior, batch ${batchSize}`, batchSize },
      { name: `prior, batch ${batchSize}`, prior, batchSize },
    ]),
    image: [
      { name: "prior, image encoder", prior: "rbf-median", images: true },
      { name: "shuffled prior, image encoder", prior: "rbf-median", images: true, shuffled: 1 },
    ],
    init: initArms(prior, lr),
    methods: (Object.keys(METHODS) as MethodName[]).filter((each) => each !== "decoupled_uniformity").map((method) => {
      const takes = METHODS[method].prior;
      const rate = RATES[method];
      if (takes === "none") return { name: method, method, ...rate ? { lr: rate } : {} };
      return { name: `prior, ${method}`, method, ...takes === "kernel" ? { prior } : {} };
    }),
  };
  return [
    { name: "untrained", trained: false },
    { name: "no prior" },
    { name: "prior", prior },
    { name: "shuffled prior", prior, shuffled: 1 },
    ...further[set],
  ];
}

/** The main arms with torchvision's weights, which have six times the squared length: a rate turns them less by that factor. */
function initArms(prior: PriorName, lr: number): Arm[] {
  const init = "torchvision";
  return [
    { name: "untrained, torchvision weights", trained: false, init },
    { name: "no prior, torchvision weights", init },
    { name: "prior, torchvision weights", prior, init },
    { name: "shuffled prior, torchvision weights", prior, init, shuffled: 1 },
    { name: "no prior, torchvision weights, six times the rate", init, lr: 6 * lr },
    { name: "prior, torchvision weights, six times the rate", prior, init, lr: 6 * lr },
    { name: "shuffled prior, torchvision weights, six times the rate", prior, init, lr: 6 * lr, shuffled: 1 },
  ];
}

/** Measures that the table shows of an arm. */
export const ARM_MEASURES = [
  ...MEASURES,
  ["linearCategory", "category, linear"],
  ["linearSubcategory", "subcategory, linear"],
] as const;

/** One of {@linkcode ARM_MEASURES}. */
export type ArmMeasure = (typeof ARM_MEASURES)[number][0];

/** Computes the scores of a blind guess; that of a linear probe is a class drawn as the training images have them. */
export function armChance(data: QuickstartData): Record<ArmMeasure, number> {
  const blind = chance(data);
  return { ...blind, linearCategory: blind.category, linearSubcategory: blind.subcategory };
}

/** One run of {@linkcode runArm}. */
export interface ArmRun {
  readonly arm: Arm;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Priors of image encoders by seed, which the arms of a seed share; they are added where they are missing. */
  readonly imagePriors?: Map<number, PriorRows>;
}

/** Trains and evaluates one arm with one seed; null when it was stopped. */
export async function runArm(
  device: Device,
  data: QuickstartData,
  recipe: Recipe,
  { arm, seed, signal, imagePriors = new Map() }: ArmRun,
): Promise<QueryScores<ArmMeasure> | null> {
  const model = makeModel({ width: recipe.width, seed, init: arm.init, method: arm.method });
  try {
    const known = imagePriors.get(seed);
    const prior = arm.images ? known ?? await imagePrior(device, data, { recipe, seed, signal }) : data.train.prior;
    if (arm.images && !signal.aborted) imagePriors.set(seed, prior);
    const { trained = true, ridge = recipe.ridge, batchSize = recipe.batchSize, lr = recipe.lr } = arm;
    const display = new ProgressDisplay();
    const training = { ...arm, recipe: { ...recipe, ridge, batchSize, lr }, seed, signal };
    const reports = trained ? trainEncoder(device, { ...data, train: { ...data.train, prior } }, model, training) : [];
    for await (const { epoch, step, steps, loss, centroid_square } of reports) {
      display.update({
        label: `${arm.name}, seed ${seed}`,
        done: (epoch - 1 + step / steps) / recipe.epochs,
        values: [["loss", loss.toFixed(3)], ["centroid²", centroid_square.toFixed(3)]],
      });
    }
    return signal.aborted ? null : await evaluateArm(device, data, model);
  } finally {
    model.dispose();
  }
}

async function evaluateArm(
  device: Device,
  data: QuickstartData,
  model: ReturnType<typeof makeModel>,
): Promise<QueryScores<ArmMeasure>> {
  const encoded = await encodeAll(device, model, data);
  const probe = async (labels: Int32Array, held: Int32Array) => {
    const found = await linearProbe(encoded.trained, labels, [encoded.twitter, encoded.google]);
    return Float64Array.from(
      found.flatMap((predicted) => Array.from(held, (label, i) => Number(predicted[i] === label))),
    );
  };
  return {
    ...score(encoded, data).scores,
    linearCategory: await probe(data.train.labels, data.category),
    linearSubcategory: await probe(data.trainSubcategory, data.subcategory),
  };
}
