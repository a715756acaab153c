import { MOST_WORKERS } from "../../data/internal.ts";
import { RECIPE_NAMES } from "../../data/mod.ts";
import type { Stem } from "../../nn/mod.ts";
import { type GivenSettings, type Setting, type SettingValues, TRAINING } from "../../train/mod.ts";
import { withDefaults } from "../../train/internal.ts";

/** Settings that a program decides by the data set that it is for. */
export interface ProgramSettings {
  /** Data set. */
  readonly db: string;
  /** Whether the images are made for a demo and are not those of the data set. */
  readonly demo: boolean;
  /** Augmentation. */
  readonly augmentation: "natural" | "chexpert";
  /** First layers of the network. */
  readonly stem: Stem;
}

/** Settings of a pre-training job beside those of the training loop ({@linkcode TRAINING}). */
export const JOB = {
  limit: { type: "integer", optional: true, min: 2, help: "first images only, for trying things", group: "Data" },
  resolution: { type: "integer", min: 8, help: "side of the crops, px", group: "Data" },
  workers: {
    type: "integer",
    min: 1,
    max: MOST_WORKERS,
    alias: "j",
    running: true,
    help: "Workers that decode images (the original's default is 32)",
    group: "Data",
  },
  cache_images: {
    type: "integer",
    default: 0,
    min: 0,
    running: true,
    help: "MB of decoded images that are kept in memory for the next epochs, of those that come first",
    group: "Data",
  },
  augment: {
    type: "string",
    default: "original",
    choices: ["original", ...RECIPE_NAMES],
    implied: true,
    help: "views: the original's for this data set, or another method's (docs/augmentation.md)",
    group: "Data",
  },
  local_crops: {
    type: "integer",
    default: 0,
    min: 0,
    implied: true,
    help: "local crops of an image beside its --n_views, of 0.05 to 0.4 of the area (multi-crop; 6 to 8 are usual)",
    group: "Data",
  },
  local_size: {
    type: "integer",
    optional: true,
    min: 2,
    help: "side of local crops, px; by default 3/7 of --resolution, and a multiple of the patches of a vit_*",
    group: "Data",
  },
  network: { type: "string", alias: "n", help: "network", group: "Model and loss" },
  drop_path: {
    type: "number",
    default: 0,
    min: 0,
    below: 1,
    implied: true,
    help: "stochastic depth of a vit_* or convnext_*: largest probability, below 1, that a sample passes a branch by",
    group: "Model and loss",
  },
  kernel: {
    type: "string",
    optional: true,
    choices: ["rbf", "cosine", "linear"],
    help: "similarity of priors",
    group: "Model and loss",
  },
  sigma: {
    type: "number",
    optional: true,
    help: "width of the RBF kernel, in units of the prior; median: the median distance of two priors",
    group: "Model and loss",
  },
  clusters: {
    type: "integer",
    optional: true,
    defaultBy: { method: { cl_infonce: 20 } },
    min: 2,
    help: "clusters of the prior that are the classes of a method that learns from classes; equal rows are one without",
    group: "Model and loss",
  },
  lars: {
    type: "string",
    default: "corrected",
    choices: ["corrected", "faithful"],
    implied: true,
    help: "faithful: the original's rule, which adapts and decays biases and BatchNorm, and never moves what is 0",
    group: "Optimisation",
  },
  start_epoch: {
    type: "integer",
    default: 0,
    min: 0,
    running: true,
    help: "epochs that count as done, for a run that resumes nothing",
    group: "Optimisation",
  },
  save_freq: {
    type: "integer",
    default: 100,
    min: 1,
    running: true,
    help: "epochs between two numbered checkpoints (checkpoint_0100 is that after 100 epochs)",
    group: "Run",
  },
  save_minutes: {
    type: "number",
    default: 10,
    min: 0,
    running: true,
    help: "minutes between two saves within an epoch",
    group: "Run",
  },
  eval_every: {
    type: "integer",
    default: 25,
    min: 0,
    running: true,
    help: "epochs between two k-NN evaluations; 0 for none",
    group: "Run",
  },
  eval_images: {
    type: "integer",
    default: 5000,
    min: 2,
    running: true,
    help: "most images of an evaluation, voting and classified each",
    group: "Run",
  },
  export: {
    type: "string",
    optional: true,
    choices: ["pth", "onnx", "all"],
    running: true,
    help: "write the encoder at the end as encoder.pth (PyTorch) or encoder.onnx too",
    group: "Run",
  },
  tensorboard: {
    type: "boolean",
    default: false,
    running: true,
    help: "write event files and embeddings for TensorBoard into the folder of the run",
    group: "Run",
  },
  profile: { type: "boolean", default: false, running: true, help: "time the parts of a step (slower)", group: "Run" },
} as const satisfies Record<string, Setting>;

/** Settings of a pre-training job by the names of their flags: a line here or in {@linkcode TRAINING} makes a setting. */
export const SETTINGS: typeof TRAINING & typeof JOB = { ...JOB, ...TRAINING };

/** Settings of a pre-training job, complete, as `config.json` and checkpoints have them. */
export type JobSettings = ProgramSettings & SettingValues<typeof SETTINGS>;

const ROWS: Readonly<Record<string, Setting>> = SETTINGS;

/**
 * Completes the settings of a job by the defaults of {@linkcode SETTINGS}.
 *
 * @throws {TypeError} If one without a default is not given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resolveSettings } from "@decoupled/uniformity/jobs";
 *
 * const program = { db: "cifar10", demo: false, augmentation: "natural", stem: "cifar" } as const;
 * const settings = resolveSettings({ ...program, network: "resnet18", resolution: 32, workers: 2, epochs: 400 });
 *
 * assertEquals([settings.batch_size, settings.momentum, settings.kernel], [256, 0, null]);
 * ```
 */
export function resolveSettings(given: ProgramSettings & GivenSettings<typeof SETTINGS>): JobSettings {
  const { db, demo, augmentation, stem } = given;
  const settings = withDefaults(SETTINGS, { ...given });
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) throw new TypeError(`Cannot resolve settings as --${name} must be given: got none`);
  }
  // A warm-up that is a default leaves most of a short run.
  const { epochs, warmup_epochs } = settings;
  const bounded = given.warmup_epochs === undefined && warmup_epochs >= epochs;
  const fitting = bounded ? { warmup_epochs: Math.floor(epochs / 10) } : {};
  return { db, demo, augmentation, stem, ...settings, ...fitting };
}

/**
 * Settings that decide what is learnt, for a checkpoint, with {@linkcode dataFacts}; the number of ranks is one of them
 * where each has its own loss.
 */
export function learningSettings(
  settings: JobSettings,
  ranks = 1,
  data: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const learning = Object.entries(settings).filter(([name]) => !ROWS[name]?.running);
  return {
    ...Object.fromEntries(learning),
    ...settings.loss_scope === "global" ? {} : { ranks },
    ...data,
  };
}

/** Samples that a run encoded at once; undefined where a checkpoint does not say, or says what cannot be. */
export function knownMicroBatch({ micro_batch: known }: Readonly<Record<string, unknown>> = {}, ranks = 1) {
  return Number.isSafeInteger(known) && Number(known) >= (ranks > 1 ? 2 : 1) ? Number(known) : undefined;
}

/** Names of what no flag says. */
const OTHERS: Readonly<Record<string, string>> = {
  ranks: "mpirun -n",
  images: "images",
  names: "hash of the images' names",
  prior: "hash of the prior",
};

/** Settings of a checkpoint: those that it names, and what one without them had. */
export function settingsOf(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const implied = Object.entries(ROWS).filter(([, row]) => row.implied).map(([name, row]) => [name, row.default]);
  return { ...Object.fromEntries(implied), ...config };
}

/**
 * Settings that differ from those of a checkpoint, as text: `--lr 0.3 (now 0.1)`, `mpirun -n 2 (now 4)`. Settings it
 * does not name are left out.
 */
export function differences(
  config: Readonly<Record<string, unknown>>,
  settings: JobSettings,
  ranks: number,
  data?: Readonly<Record<string, unknown>>,
): string[] {
  const before = settingsOf(config);
  const now = learningSettings(settings, ranks, data);
  if (settings.micro_batch === null) delete now.micro_batch; // goes on as it was
  return Object.keys(now).filter((name) => name in before && before[name] !== now[name]).map((name) =>
    `${OTHERS[name] ?? `--${name}`} ${before[name] ?? "none"} (now ${now[name] ?? "none"})`
  );
}
