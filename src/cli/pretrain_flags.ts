import { type JobSettings, resolveSettings } from "../jobs/mod.ts";
import { type MethodName, METHODS } from "../methods/mod.ts";
import type { Flag } from "./arguments.ts";
import { parseFlags, UsageError } from "./flags.ts";
import { isGiven, ORIGINAL_FLAGS } from "./original_flags.ts";
import { checkWatch, watchFlags } from "./watch_flags.ts";
import type { PretrainProgram, PretrainRecipe } from "./pretrain_program.ts";
import { checkPriorFlags, priorFlags, type PriorValues, widthOf } from "./prior_flags.ts";
import { flagSettings, settingFlags, type TableSettings } from "./setting_flags.ts";

/** Flags that say where things are, and how to tell of them. */
export interface PretrainValues {
  /** Folder of the data set. */
  readonly root: string;
  /** Folder of the run. */
  readonly save_dir: string;
  /** Checkpoint to go on from; `auto`: the last one in `save_dir`, if any. */
  readonly resume: string;
  /** File of the prior. */
  readonly prior: string | undefined;
  /** Columns of the prior, with commas. */
  readonly prior_columns: string | undefined;
  /** Whether to make a small set of emoji images. */
  readonly demo: boolean;
  /** Whether the report is served while training. */
  readonly watch: boolean;
  /** Port of 127.0.0.1 that it is served on; 0: a free one. */
  readonly watch_port: number;
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

/** Values of all flags: `none` stands for a kernel that is null, and sigma is text. */
type Values = PretrainValues & Omit<TableSettings, "kernel" | "sigma"> & PriorValues & Record<string, unknown>;

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
      `Pre-trains a network on ${program.title} by decoupled uniformity, or another --method. The defaults are the original's recipe.`,
    example: `deno run -A examples/${program.db}.ts --demo`,
    flags,
  }) as Values | null;
  if (values === null) return null;
  if (values.db !== program.db) {
    throw new UsageError(
      `Cannot use --db ${values.db} as this program is for ${program.db}: run examples/${values.db}.ts`,
    );
  }
  checkMethodFlags(args, values.method);
  checkWatch(args, values);
  const own = Object.fromEntries(Object.keys(program.flags ?? {}).map((name) => [name, values[name]]));
  const usesPrior = checkPriorFlags(args, values);
  const kernel = METHODS[values.method].prior === "none" || METHODS[values.method].prior === "classes"
    ? "none"
    : values.kernel;
  const { sigma } = values;
  const settings = resolveSettings({
    ...{ db: program.db, demo, stem: program.stem, augmentation: program.augmentation ?? "natural" },
    ...flagSettings({ ...values, kernel, ...beyondRecipe(args, values) }),
    sigma: kernel === "rbf" && sigma !== undefined ? widthOf(sigma) : null,
  });
  checkWarmUp(settings);
  checkOwners(args, settings);
  return { values, own, settings, usesPrior, medianSigma: kernel === "rbf" && sigma === "median" };
}

/**
 * Settings that a program's recipe, made for its ResNet and optimizer, does not know: vision transformers and
 * ConvNeXts learn by AdamW, and Adam has a learning rate of its own. The defaults of the settings hold there.
 */
function beyondRecipe(
  args: readonly string[],
  { network, optimizer }: Values,
): { optimizer?: undefined; lr?: undefined } {
  const byAdamW = /^(vit|convnext)_/.test(network) && !isGiven(args, "optimizer");
  const adapts = byAdamW || optimizer.startsWith("adam");
  const rateIsGiven = isGiven(args, "lr") || isGiven(args, "learning_rate");
  return { ...byAdamW ? { optimizer: undefined } : {}, ...adapts && !rateIsGiven ? { lr: undefined } : {} };
}

/** Refuses settings of an optimizer or a kernel that is another one: they would have no effect. */
function checkOwners(args: readonly string[], { optimizer, momentum, kernel }: JobSettings): void {
  if (optimizer !== "lars" && isGiven(args, "lars")) {
    throw new UsageError(`Cannot use --lars with --optimizer ${optimizer}: it says how --optimizer lars works`);
  }
  if (optimizer.startsWith("adam") && momentum !== 0) {
    throw new UsageError(`Cannot use --momentum with --optimizer ${optimizer} as it has none: leave it out`);
  }
  if (kernel !== "rbf" && isGiven(args, "sigma")) {
    throw new UsageError(`Cannot use --sigma with --kernel ${kernel ?? "none"}: it is the width of rbf`);
  }
}

/** Refuses a warm-up that leaves nothing of the run; a default never does. */
function checkWarmUp({ epochs, warmup_epochs }: JobSettings): void {
  if (warmup_epochs < epochs) return;
  throw new UsageError(`Cannot use --warmup_epochs ${warmup_epochs} as it must be less than --epochs: got ${epochs}`);
}

/** Refuses settings that a method has not, which would have no effect. */
function checkMethodFlags(args: readonly string[], method: MethodName): void {
  const { temperature, momentum: target_momentum, queue, prior } = METHODS[method];
  const clusters = prior === "classes" || undefined;
  for (const [name, own] of Object.entries({ temperature, target_momentum, queue, clusters })) {
    if (own === undefined && isGiven(args, name)) {
      throw new UsageError(`Cannot use --${name} with --method ${method}: it has none`);
    }
  }
}

/** Flags by their groups, in the order in which `--help` lists them. */
function sharedFlags(program: PretrainProgram, demo: boolean): Record<string, Flag> {
  const { recipe, resolution } = program;
  const defaults: PretrainRecipe = {
    ...recipe,
    resolution,
    ...demo ? { ...demoDefaults(resolution), ...program.demo } : {},
  };
  const flags: Record<string, Flag> = {
    ...placeFlags(program, demo),
    ...settingFlags(defaults),
    ...priorFlags(defaults.weaklabels),
    ...ORIGINAL_FLAGS,
  };
  const order = ["Data", "Model and loss", "Optimisation", "Run"];
  const rank = ([, { group = "" }]: [string, Flag]) => (order.indexOf(group) + order.length + 1) % (order.length + 1);
  return Object.fromEntries(Object.entries(flags).toSorted((a, b) => rank(a) - rank(b)));
}

function demoDefaults(resolution: number) {
  return { ...DEMO, resolution: Math.min(resolution, DEMO.resolution) };
}

/** Flags that say what is trained on, where things are and how to tell of them. */
function placeFlags({ db }: PretrainProgram, demo: boolean) {
  const names = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"];
  const data = { group: "Data" } as const;
  const run = { group: "Run" } as const;
  return {
    root: { type: "string", default: `data/${demo ? "demo/" : ""}${db}`, help: "folder of the data set", ...data },
    db: { type: "string", default: db, choices: names, help: "data set: each has a program of its own", ...data },
    demo: {
      type: "boolean",
      help: "try the program on a small set made of emoji images, written in this layout",
      ...data,
    },
    save_dir: {
      type: "string",
      default: `runs/${demo ? "demo_" : ""}${db}`,
      help: "folder of checkpoints and report",
      ...run,
    },
    resume: {
      type: "string",
      default: "auto",
      help: "checkpoint or folder of a run to go on from; auto: --save_dir where it has one, else a new run",
      ...run,
    },
    distributed: { type: "boolean", help: "fail unless an MPI launcher started this process", ...run },
    ...watchFlags(run.group),
    json: { type: "boolean", help: "one JSON object a line on stdout in place of the display", ...run },
  } as const satisfies Record<string, Flag>;
}
