import type { Communicator } from "../distributed/mod.ts";
import type { Kernel } from "../kernels/mod.ts";
import type { TuneOptions } from "../tune/mod.ts";
import type { TrainingPosition } from "../checkpoints/mod.ts";
import type { LossScope } from "./ranks.ts";
import type { BatchStatistics } from "./micro_batch.ts";
import type { Contrastive } from "../nn/mod.ts";
import { defaultsOf, METHOD_NAMES } from "../methods/internal.ts";
import type { MethodName } from "../methods/mod.ts";
import type { Setting } from "./setting.ts";
import type { StepProfile } from "./step_clock.ts";

/** Settings of {@linkcode pretrain}; the defaults are the original's. */
export interface PretrainConfig {
  /** Passes over the data. */
  epochs: number;
  /** Samples of a step; 256 by default. */
  batchSize?: number;
  /** Views of a sample; 2 by default. */
  views?: number;
  /** Method that is learnt by, of `METHODS`; `"decoupled_uniformity"` by default. */
  method?: MethodName;
  /** Temperature τ of the methods that have one: 0.5 for SimCLR, 0.2 for MoCo, 0.1 for the others by default. */
  temperature?: number;
  /** Weight of what was before in the momentum encoder: 0.999 for MoCo, 0.996 at first for BYOL by default. */
  targetMomentum?: number;
  /** Keys in the queue of MoCo; 4096 by default. */
  queue?: number;
  /** A model like the one that is trained, without its predictor: the momentum encoder of the methods that have one. */
  target?: Contrastive;
  /** Decay of an average of the weights, in (0, 1), which `average` holds; none by default. */
  ema?: number;
  /** A model like the one that is trained, for `ema`; its predictor may be missing. */
  average?: Contrastive;
  /** Name of the optimizer: `"sgd"` (default), `"lars"`, `"adam"` or `"adamw"` (the programs' for ViT and ConvNeXt). */
  optimizer?: "sgd" | "lars" | "adam" | "adamw";
  /** Epochs of linear warm-up of the learning rate; 0 by default, in the programs 10 for ViT and ConvNeXt. */
  warmUp?: number;
  /** Norm that gradients are clipped to; not by default. */
  clipGradNorm?: number;
  /** Whether LARS repeats the original's rule (see `LARSOptions.faithful`); false by default. */
  faithfulLars?: boolean;
  /** Learning rate at the start, already scaled for the batch; 0.3 by default, 0.001 with Adam. */
  lr?: number;
  /** Learning rate at the end of the cosine; 1e-3 by default, 0 with Adam. */
  etaMin?: number;
  /** Momentum; 0 for SGD and 0.9 for LARS by default; Adam has none. */
  momentum?: number;
  /** Weight decay; 0 by default. */
  weightDecay?: number;
  /**
   * Precision of the network. `"full"`, the default: f32. `"mixed"`: the network computes inside `autocast`, and a
   * `GradScaler` scales the loss; weights, statistics, kernels and the loss itself stay f32. `"mixed-f16"`: the same, and
   * products and convolutions may sum 8 terms at a time in f16, by `autocast`'s `sums`.
   */
  precision?: "full" | "mixed" | "mixed-f16";
  /** Similarity of the samples' priors; without one, no prior enters. */
  kernel?: Kernel;
  /** Ridge λ of the centroid weights; 0.01 by default, 0 means 1/√batch. */
  ridge?: number;
  /** Inverse squared distance t of the loss; 2 by default. */
  t?: number;
  /** Seed of order and augmentation; 0 by default. */
  seed?: number;
  /** Leave a last batch that is not full out; false by default (a last batch of one sample is always left out). */
  dropLast?: boolean;
  /** Steps between two reports; 10 by default. */
  printEvery?: number;
  /** Position to start from, for a run that goes on; epoch 0, step 0 by default. */
  start?: TrainingPosition;
  /** Ends the run after the step that is under way; the last report then tells how far it came. */
  signal?: AbortSignal;
  /** Times the parts of every step; waits for the device after each of them, so that the run becomes slower. */
  profile?: StepProfile;
  /**
   * Records a step of each batch size and replays it, with the same results and less time of the host; true by default.
   * Steps that are timed by `profile`, or that several ranks take together, are never replayed.
   */
  compile?: boolean;
  /** Tunes products and convolutions before the first full batch, which changes last bits (see `tune()`); not by default. */
  tuning?: TuneOptions;
  /**
   * Callback, awaited when the first step is recorded and before it runs, so that its shaders can be compiled together;
   * of a step on a batch in parts also when the first part of each pass is.
   */
  beforeFirstStep?: () => Promise<unknown>;
  /** The processes that train together, each with its part of every batch; this one alone by default. */
  group?: Communicator;
  /** Whether the loss compares the samples of each rank (`"local"`, the default) or of all ranks. */
  lossScope?: LossScope;
  /**
   * Samples that a rank encodes at once; by default all of its batch where the adapter takes them, else as many as it
   * does. A larger batch is encoded in parts, with the loss and the gradient of the whole : see the class
   * `DividedStep`.
   */
  microBatch?: number;
  /**
   * Whether parts have their own statistics of batch normalisation (`"part"`, the default: one part is held at a time)
   * or those of the whole batch (`"batch"`: all parts are held at once, each in bindings of its own).
   */
  batchStatistics?: BatchStatistics;
}

/**
 * Settings of {@linkcode pretrain} that are plain values, by the names of their flags: the one place of their defaults,
 * from which the flags of the programs, the settings of jobs and `config.json` follow.
 */
export const TRAINING = {
  epochs: { option: "epochs", type: "integer", min: 1, help: "passes over the images", group: "Optimisation" },
  batch_size: {
    option: "batchSize",
    type: "integer",
    default: 256,
    min: 2,
    alias: "b",
    help: "images of a step",
    group: "Optimisation",
  },
  n_views: { option: "views", type: "integer", default: 2, min: 1, help: "views of an image", group: "Model and loss" },
  optimizer: {
    option: "optimizer",
    type: "string",
    default: "sgd",
    defaultBy: { network: { "vit_*": "adamw", "convnext_*": "adamw" } },
    choices: ["sgd", "lars", "adam", "adamw"],
    help: "optimizer",
    group: "Optimisation",
  },
  lr: {
    option: "lr",
    type: "number",
    defaultBy: { optimizer: { sgd: 0.3, lars: 0.3, adam: 0.001, adamw: 0.001 } },
    min: 0,
    spellings: ["learning_rate"],
    help: "learning rate for a batch of 256; scaled with the batch",
    group: "Optimisation",
  },
  momentum: {
    option: "momentum",
    type: "number",
    defaultBy: { optimizer: { sgd: 0, lars: 0.9, adam: 0, adamw: 0 } },
    min: 0,
    help: "momentum",
    group: "Optimisation",
  },
  method: {
    option: "method",
    type: "string",
    default: "decoupled_uniformity",
    choices: METHOD_NAMES as readonly MethodName[],
    implied: true,
    help: "what is learnt by (docs/methods.md)",
    group: "Model and loss",
  },
  temperature: {
    option: "temperature",
    type: "number",
    optional: true,
    defaultBy: { method: defaultsOf("temperature") as Readonly<Record<string, number>> },
    min: 1e-6,
    help: "temperature of the loss",
    group: "Model and loss",
  },
  target_momentum: {
    option: "targetMomentum",
    type: "number",
    optional: true,
    defaultBy: { method: defaultsOf("momentum") as Readonly<Record<string, number>> },
    min: 0,
    below: 1,
    help: "weight of what was before in the momentum encoder",
    group: "Model and loss",
  },
  queue: {
    option: "queue",
    type: "integer",
    optional: true,
    defaultBy: { method: defaultsOf("queue") as Readonly<Record<string, number>> },
    min: 2,
    help: "keys of earlier batches that are compared with",
    group: "Model and loss",
  },
  ema: {
    option: "ema",
    type: "number",
    optional: true,
    min: 0,
    below: 1,
    help: "decay of an average of the weights, which is then what is evaluated and saved as the encoder",
    group: "Optimisation",
  },
  warmup_epochs: {
    option: "warmUp",
    type: "integer",
    default: 0,
    defaultBy: { network: { "vit_*": 10, "convnext_*": 10 } },
    implied: true,
    min: 0,
    help: "epochs of linear warm-up of the learning rate, fewer than --epochs; a default is bounded by a tenth of them",
    group: "Optimisation",
  },
  clip_grad_norm: {
    option: "clipGradNorm",
    type: "number",
    optional: true,
    min: 1e-30,
    help: "largest norm of the gradients of a step; longer ones are scaled to it",
    group: "Optimisation",
  },
  wd: {
    option: "weightDecay",
    type: "number",
    default: 0,
    min: 0,
    spellings: ["weight_decay"],
    help: "weight decay",
    group: "Optimisation",
  },
  lambda: {
    option: "ridge",
    type: "number",
    default: 0.01,
    min: 0,
    help: "ridge of the centroid weights; 0 means 1/sqrt(batch)",
    group: "Model and loss",
  },
  t: {
    option: "t",
    type: "number",
    default: 2,
    min: 1e-30,
    max: 8e37,
    help: "inverse squared distance of the loss",
    group: "Model and loss",
  },
  drop_last: {
    option: "dropLast",
    type: "boolean",
    default: false,
    help: "leave a last batch that is not full out",
    group: "Optimisation",
  },
  seed: {
    option: "seed",
    type: "integer",
    default: 0,
    min: 0,
    help: "seed of weights, order and augmentation",
    group: "Optimisation",
  },
  precision: {
    option: "precision",
    type: "string",
    default: "full",
    choices: ["full", "mixed", "mixed-f16"],
    implied: true,
    help: "mixed: half precision (f16) in the network where that is safe; mixed-f16: in parts of sums, too; shader-f16",
    group: "Optimisation",
  },
  micro_batch: {
    option: "microBatch",
    type: "integer",
    optional: true,
    min: 1,
    help: "images encoded at once (default: as many as the adapter takes); the loss is that of the whole batch",
    group: "Optimisation",
  },
  batch_statistics: {
    option: "batchStatistics",
    type: "string",
    default: "part",
    choices: ["part", "batch"],
    implied: true,
    help: "of BatchNorm where a batch is encoded in parts: of each part, or of the whole batch, which takes its memory",
    group: "Optimisation",
  },
  loss_scope: {
    option: "lossScope",
    type: "string",
    default: "local",
    choices: ["local", "global"],
    implied: true,
    help: "with several ranks: compare the samples of each rank, or of all ranks",
    group: "Run",
  },
  print_freq: {
    option: "printEvery",
    type: "integer",
    default: 10,
    min: 1,
    alias: "p",
    running: true,
    help: "steps between two reports",
    group: "Run",
  },
} as const satisfies Record<string, Setting & { readonly option: keyof PretrainConfig }>;
