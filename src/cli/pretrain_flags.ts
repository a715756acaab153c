import type { JobSettings } from "../jobs/mod.ts";
import { type Flag, type FlagValues, parseFlags, UsageError } from "./flags.ts";
import { modelFlags, widthOf } from "./model_flags.ts";
import type { PretrainProgram } from "./pretrain_program.ts";

/** Flags that say where things are, and how to tell of them. */
export interface PretrainValues {
  /** Folder of the data set. */
  readonly root: string;
  /** Folder of the run. */
  readonly save_dir: string;
  /** Checkpoint to go on from. */
  readonly resume: string | undefined;
  /** File of the prior. */
  readonly prior: string | undefined;
  /** Columns of the prior, with commas. */
  readonly prior_columns: string | undefined;
  /** Whether to make a small set of emoji images. */
  readonly demo: boolean;
  /** Whether machines read what is printed. */
  readonly json: boolean;
  /** Whether an MPI launcher must have started this process. */
  readonly distributed: boolean;
}

/** Values of a program's flags, and its settings. */
export interface PretrainFlags {
  /** Flags that are no settings of the job. */
  readonly values: PretrainValues;
  /** Values of the flags that only this program has. */
  readonly own: Readonly<Record<string, unknown>>;
  /** Settings of the job, but for what the images decide. */
  readonly settings: JobSettings;
  /** Whether a prior is wanted. */
  readonly usesPrior: boolean;
  /** Whether the RBF kernel's width is the median distance, so that `settings.sigma` is to be set from the prior. */
  readonly medianSigma: boolean;
}

type Flags = ReturnType<typeof sharedFlags>;

/** Flags of the original that describe several processes. */
const PROCESSES = ["world_size", "rank", "dist_url", "dist_backend", "multiprocessing_distributed"] as const;

/** The defaults of a demo: small enough for two cores. */
const DEMO = { network: "tiny", epochs: 8, batch_size: 64, resolution: 64, eval_every: 4, save_freq: 4 } as const;

/**
 * Reads the command line of a pre-training program; null after `--help`.
 *
 * @throws {UsageError} If a flag is unknown or its value not allowed, or flags contradict each other.
 */
export function parsePretrain(args: readonly string[], program: PretrainProgram): PretrainFlags | null {
  const demo = args.some((arg) => /^--demo(=true)?$/.test(arg));
  const flags = { ...sharedFlags(program, demo), ...program.flags };
  const values = parseFlags(args, {
    usage: `deno run -A examples/${program.db}.ts [options]`,
    about:
      `Pre-trains a network on ${program.title} with the decoupled uniformity loss. The defaults are the original's recipe.`,
    example: `deno run -A examples/${program.db}.ts --demo`,
    flags,
  }) as (FlagValues<Flags> & Record<string, unknown>) | null;
  if (values === null) return null;
  if (values.db !== program.db) {
    throw new UsageError(
      `Cannot use --db ${values.db} as this program is for ${program.db}: run examples/${values.db}.ts`,
    );
  }
  if (values.optimizer !== "lars" && isGiven(args, "lars")) {
    throw new UsageError(`Cannot use --lars with --optimizer ${values.optimizer}: it says how --optimizer lars works`);
  }
  const own = Object.fromEntries(Object.keys(program.flags ?? {}).map((name) => [name, values[name]]));
  const usesPrior = checkPrior(args, values);
  const medianSigma = values.kernel === "rbf" && values.sigma === "median";
  return { values, own, settings: settingsOf(values, program, demo), usesPrior, medianSigma };
}

/** What a person should know about flags that were given for nothing. */
export function withoutEffect(args: readonly string[]): string[] {
  const processes = PROCESSES.filter((name) => isGiven(args, name)).map((name) =>
    `--${name.replaceAll("_", "-")} has no effect here: MPI starts the processes, one a GPU: ` +
    "mpirun -n 4 --bind-to none deno run -A PROGRAM --distributed (docs/distributed.md)"
  );
  if (!isGiven(args, "gpu")) return processes;
  return [
    "--gpu has no effect here: WebGPU takes the adapter that the system prefers (set MESA_VK_DEVICE_SELECT or " +
    "VK_DRIVER_FILES to choose another)",
    ...processes,
  ];
}

function sharedFlags({ db, recipe, resolution, demo: demoRecipe }: PretrainProgram, demo: boolean) {
  const defaults = {
    ...recipe,
    resolution,
    eval_every: 25,
    save_freq: 100,
    ...demo ? { ...demoDefaults(resolution), ...demoRecipe } : {},
  };
  return {
    ...dataFlags(db, defaults.resolution, demo),
    ...modelFlags(defaults),
    ...optimisationFlags(defaults),
    ...runFlags(db, defaults, demo),
    ...ignoredFlags(),
  };
}

function demoDefaults(resolution: number) {
  return { ...DEMO, resolution: Math.min(resolution, DEMO.resolution) };
}

function dataFlags(db: string, resolution: number, demo: boolean) {
  const group = "Data";
  const names = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"];
  return {
    root: { type: "string", default: `data/${demo ? "demo/" : ""}${db}`, help: "folder of the data set", group },
    db: { type: "string", default: db, choices: names, help: "data set: each has a program of its own", group },
    demo: {
      type: "boolean",
      help: "try the program on a small set made of emoji images, written in this layout",
      group,
    },
    limit: { type: "integer", min: 2, help: "first images only, for trying things", group },
    resolution: { type: "integer", default: resolution, min: 8, help: "side of the crops, px", group },
    workers: {
      type: "integer",
      default: Math.min(navigator.hardwareConcurrency, 8),
      min: 1,
      alias: "j",
      help: "Workers that decode images (the original's default is 32)",
      group,
    },
  } as const satisfies Record<string, Flag>;
}

function optimisationFlags({ epochs, batch_size, optimizer, lr, wd }: PretrainProgram["recipe"]) {
  const group = "Optimisation";
  return {
    epochs: { type: "integer", default: epochs, min: 1, help: "passes over the images", group },
    start_epoch: {
      type: "integer",
      default: 0,
      min: 0,
      help: "epoch to begin with, for a run that resumes nothing",
      group,
    },
    batch_size: { type: "integer", default: batch_size, min: 2, alias: "b", help: "images of a step", group },
    optimizer: { type: "string", default: optimizer, choices: ["sgd", "lars"], help: "optimizer", group },
    lr: {
      type: "number",
      default: lr,
      min: 0,
      spellings: ["learning_rate"],
      help: "learning rate for a batch of 256; scaled with the batch",
      group,
    },
    momentum: { type: "number", min: 0, help: "momentum (default 0 for sgd, 0.9 for lars)", group },
    wd: { type: "number", default: wd ?? 0, min: 0, spellings: ["weight_decay"], help: "weight decay", group },
    lars: {
      type: "string",
      default: "corrected",
      choices: ["corrected", "faithful"],
      help: "faithful: the original's rule, which adapts and decays biases and BatchNorm, and never moves what is 0",
      group,
    },
    micro_batch: {
      type: "integer",
      min: 1,
      help: "images encoded at once (default: as many as the adapter takes); the loss is that of the whole batch",
      group,
    },
    batch_statistics: {
      type: "string",
      default: "part",
      choices: ["part", "batch"],
      help:
        "of BatchNorm where a batch is encoded in parts: of each part, or of the whole batch, which takes its memory",
      group,
    },
    drop_last: { type: "boolean", help: "leave a last batch that is not full out", group },
    seed: { type: "integer", default: 0, min: 0, help: "seed of weights, order and augmentation", group },
    precision: {
      type: "string",
      default: "full",
      choices: ["full", "mixed"],
      help: "mixed: the network computes in half precision (f16) where that is safe; needs the feature shader-f16",
      group,
    },
  } as const satisfies Record<string, Flag>;
}

function runFlags(db: string, { eval_every, save_freq }: { eval_every: number; save_freq: number }, demo: boolean) {
  const group = "Run";
  return {
    save_dir: {
      type: "string",
      default: `runs/${demo ? "demo_" : ""}${db}`,
      help: "folder of checkpoints and report",
      group,
    },
    resume: { type: "string", help: "checkpoint to go on from (default: the last one in --save_dir, if any)", group },
    save_freq: { type: "integer", default: save_freq, min: 1, help: "epochs between two numbered checkpoints", group },
    save_minutes: { type: "number", default: 10, min: 0, help: "minutes between two saves within an epoch", group },
    print_freq: { type: "integer", default: 10, min: 1, alias: "p", help: "steps between two reports", group },
    eval_every: {
      type: "integer",
      default: eval_every,
      min: 0,
      help: "epochs between two k-NN evaluations; 0 for none",
      group,
    },
    eval_images: {
      type: "integer",
      default: 5000,
      min: 2,
      help: "most images of an evaluation, voting and classified each",
      group,
    },
    profile: { type: "boolean", help: "time the parts of a step (slower)", group },
    distributed: { type: "boolean", help: "fail unless an MPI launcher started this process", group },
    loss_scope: {
      type: "string",
      default: "local",
      choices: ["local", "global"],
      help: "with several ranks: compare the samples of each rank, or of all ranks",
      group,
    },
    json: { type: "boolean", help: "one JSON object a line on stdout in place of the display", group },
  } as const satisfies Record<string, Flag>;
}

function ignoredFlags() {
  const group = "Flags of the original without effect here";
  const help = "accepted";
  return {
    gpu: { type: "string", help, group },
    world_size: { type: "string", help, group },
    rank: { type: "string", help, group },
    dist_url: { type: "string", help, group },
    dist_backend: { type: "string", help, group },
    multiprocessing_distributed: { type: "boolean", help, group },
  } as const satisfies Record<string, Flag>;
}

/** Whether a prior is wanted; a kernel without one, or one without a kernel, is a mistake that must not pass. */
function checkPrior(args: readonly string[], values: FlagValues<Flags>): boolean {
  const { kernel, sigma, prior, prior_columns, weaklabels } = values;
  const wanted = prior !== undefined || weaklabels;
  const asked = prior !== undefined || isGiven(args, "weaklabels");
  if (kernel === "none") {
    if (wanted && asked) {
      throw new UsageError(
        `Cannot use ${prior === undefined ? "--weaklabels" : "--prior"} without a kernel as it would have no effect: ` +
          "give --kernel rbf and --sigma, --kernel cosine or --kernel linear",
      );
    }
    return false;
  }
  if (prior === undefined && prior_columns !== undefined) {
    throw new UsageError("Cannot use --prior_columns without --prior: it names columns of that file");
  }
  if (!wanted) {
    throw new UsageError(
      `Cannot use --kernel ${kernel} without a prior: give --weaklabels or --prior FILE, or --kernel none (the original ` +
        "took the class labels as prior then, which is supervision)",
    );
  }
  if (kernel === "rbf" && sigma === undefined) {
    throw new UsageError("Cannot use --kernel rbf without --sigma: give a number or median");
  }
  return true;
}

function settingsOf(values: FlagValues<Flags>, program: PretrainProgram, demo: boolean): JobSettings {
  const { root: _, kernel, sigma, optimizer, lars, momentum, limit, loss_scope, precision, micro_batch, ...rest } =
    values;
  const { stem, augmentation = "natural" } = program;
  const names = [
    "resolution",
    "network",
    "epochs",
    "batch_size",
    "n_views",
    "lr",
    "wd",
    "lambda",
    "t",
    "drop_last",
    "seed",
    "start_epoch",
    "save_freq",
    "save_minutes",
    "print_freq",
    "eval_every",
    "eval_images",
    "workers",
    "profile",
  ] as const;
  const plain = Object.fromEntries(names.map((name) => [name, rest[name]])) as Pick<
    typeof rest,
    (typeof names)[number]
  >;
  return {
    db: program.db,
    demo,
    limit: limit ?? null,
    augmentation,
    stem,
    optimizer: optimizer === "lars" ? "lars" : "sgd",
    lars: lars === "faithful" ? "faithful" : "corrected",
    precision: precision === "mixed" ? "mixed" : "full",
    micro_batch: micro_batch ?? null,
    batch_statistics: rest.batch_statistics === "batch" ? "batch" : "part",
    momentum: momentum ?? (optimizer === "lars" ? 0.9 : 0),
    kernel: kernel === "rbf" || kernel === "cosine" || kernel === "linear" ? kernel : null,
    sigma: kernel === "rbf" && sigma !== undefined ? widthOf(sigma) : null,
    loss_scope: loss_scope === "global" ? "global" : "local",
    ...plain,
  };
}

function isGiven(args: readonly string[], name: string): boolean {
  return args.some((arg) => arg.replace(/=.*/s, "").replaceAll("-", "_") === `__${name}`);
}
