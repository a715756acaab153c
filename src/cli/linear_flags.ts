import { defaultWorkers, MOST_WORKERS } from "../data/internal.ts";
import { FROZEN_SGD } from "../eval/internal.ts";
import { NETWORKS } from "../methods/mod.ts";
import { ALL_DATASET_FLAGS, checkDatasetFlags } from "./dataset_flags.ts";
import type { Flag } from "./arguments.ts";
import { type FlagValues, parseFlags, UsageError } from "./flags.ts";
import { ORIGINAL_FLAGS } from "./original_flags.ts";
import { checkWatch, watchFlags } from "./watch_flags.ts";

/** Values of the flags of the linear evaluation. */
export type LinearFlags = FlagValues<ReturnType<typeof linearFlags>>;

/** Data sets that can be evaluated. */
export const LINEAR_DATA = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"] as const;

/** Policies for labels that CheXpert leaves uncertain or blank. */
export const LABEL_POLICIES = ["ignore", "zeros", "ones", "gloria"] as const;

/**
 * Reads the command line of the linear evaluation; null after `--help`.
 *
 * @throws {UsageError} If a flag is unknown or its value not allowed, or flags contradict each other.
 */
export function parseLinear(args: readonly string[]): LinearFlags | null {
  const values = parseFlags(args, {
    usage: "deno run -A examples/linear_eval.ts --db DB --root DIR --pretrained CHECKPOINT [options]",
    about:
      "Evaluates a pre-trained encoder by a linear classifier on its frozen features. The defaults are the original's.",
    example:
      "deno run -A examples/linear_eval.ts --db cifar10 --root data/cifar10 --pretrained runs/cifar10/last.safetensors",
    flags: linearFlags(),
  });
  if (values === null) return null;
  check(values);
  checkWatch(args, values);
  return values;
}

function linearFlags() {
  return { ...dataFlags(), ...encoderFlags(), ...fittingFlags(), ...runFlags(), ...ORIGINAL_FLAGS };
}

function dataFlags() {
  const group = "Data";
  return {
    root: { type: "string", help: "folder of the data set (default data/DB)", group },
    db: { type: "string", default: "imagenet100", choices: LINEAR_DATA, help: "data set", group },
    demo: { type: "boolean", help: "write a small set made of emoji images in this layout into --root first", group },
    limit: { type: "integer", min: 2, help: "so many training and test images only, each class in its share", group },
    ...ALL_DATASET_FLAGS,
    chexpert_label: { type: "string", help: 'pathology of CheXpert, or "all"; commas between several', group },
    chexpert_uncertain: {
      type: "string",
      default: "ignore",
      choices: LABEL_POLICIES,
      help: "uncertain and blank labels of CheXpert: leave out, 0, 1 (blanks 0), GLoRIA's map (blanks 0)",
      group,
    },
    label_share: { type: "number", default: 1, min: 1e-6, max: 1, help: "part of the training labels to use", group },
    resolution: {
      type: "integer",
      min: 8,
      help: "side of the images, px (default: the checkpoint's, else the data's)",
      group,
    },
    workers: {
      type: "integer",
      default: defaultWorkers(),
      min: 1,
      max: MOST_WORKERS,
      alias: "j",
      help: "Workers that decode images",
      group,
    },
  } as const satisfies Record<string, Flag>;
}

function encoderFlags() {
  const group = "Encoder";
  return {
    pretrained: {
      type: "string",
      help: "checkpoint: ours, the original's .pth.tar, or another program's weights",
      group,
    },
    prefix: { type: "string", help: "beginning of the encoder's names in it (default: looked for)", group },
    stem_padding: {
      type: "integer",
      min: 0,
      max: 3,
      help: "padding of another program's first convolution of 3 x 3, px (default: 2, the original's)",
      group,
    },
    random: { type: "boolean", help: "evaluate an untrained encoder, to compare with", group },
    network: {
      type: "string",
      choices: NETWORKS,
      alias: "n",
      help: "network (default: the one the checkpoint names, else the one of its shapes)",
      group,
    },
    feature: {
      type: "string",
      default: "fc",
      choices: ["fc", "pooled"],
      help: "output of encoder.fc, as the original, or what that layer gets",
      group,
    },
  } as const satisfies Record<string, Flag>;
}

function fittingFlags() {
  const group = "Classifier";
  return {
    method: {
      type: "string",
      default: "auto",
      choices: ["auto", "logistic", "sgd", "augmented"],
      help: "auto: augmented SGD on imagenet100, logistic regression below 20000 images, else SGD on features",
      group,
    },
    epochs: {
      type: "integer",
      default: FROZEN_SGD.epochs,
      min: 1,
      help: "passes of augmented SGD; SGD on features takes up to twice as many",
      group,
    },
    start_epoch: { type: "integer", default: 0, min: 0, help: "accepted; runs start at 0", group },
    batch_size: { type: "integer", default: FROZEN_SGD.batchSize, min: 2, alias: "b", help: "images of a step", group },
    lr: {
      type: "number",
      default: FROZEN_SGD.lr,
      min: 1e-30,
      spellings: ["learning_rate"],
      help: "learning rate; augmented SGD scales it with batch/256",
      group,
    },
    momentum: { type: "number", default: FROZEN_SGD.momentum, min: 0, below: 1, help: "momentum", group },
    wd: {
      type: "number",
      default: 0,
      min: 0,
      spellings: ["weight_decay"],
      help: "weight decay of augmented SGD",
      group,
    },
    seed: { type: "integer", default: 0, min: 0, help: "seed of order, augmentation and bootstrap", group },
  } as const satisfies Record<string, Flag>;
}

function runFlags() {
  const group = "Run";
  return {
    save_dir: {
      type: "string",
      help: "folder of classifier, predictions, linear_eval.json and report.html (default runs/linear_DB)",
      group,
    },
    evaluate: { type: "boolean", alias: "e", help: "only score the classifier of --resume", group },
    resume: { type: "string", help: "classifier.safetensors to score (default: that of --save_dir)", group },
    tensorboard: { type: "boolean", help: "write event files and embeddings for TensorBoard into --save_dir", group },
    maps: { type: "boolean", default: true, help: "draw maps and neighbours (--no-maps)", group },
    ...watchFlags(group),
    print_freq: {
      type: "integer",
      default: 10,
      min: 1,
      alias: "p",
      help: "accepted; progress is shown as it comes",
      group,
    },
    distributed: { type: "boolean", help: "fail unless an MPI launcher started this process", group },
    json: { type: "boolean", help: "one JSON object a line on stdout in place of the display", group },
  } as const satisfies Record<string, Flag>;
}

function check(values: LinearFlags): void {
  checkDatasetFlags(values.db, values);
  const { pretrained, random, db, chexpert_label, evaluate, resume, network } = values;
  if (pretrained === undefined && !random) {
    throw new UsageError(
      "Cannot evaluate without --pretrained: give a checkpoint, or --random to evaluate an untrained encoder on purpose",
    );
  }
  if (pretrained !== undefined && random) {
    throw new UsageError("Cannot use --random with --pretrained: give one of them");
  }
  if (random && network === undefined) throw new UsageError("Cannot use --random without --network: got none");
  if (db === "chexpert" && chexpert_label === undefined) {
    throw new UsageError(
      'Cannot evaluate chexpert without --chexpert_label: give a pathology such as "Edema", or "all"',
    );
  }
  if (db !== "chexpert" && chexpert_label !== undefined) {
    throw new UsageError(`Cannot use --chexpert_label with --db ${db}: it is for chexpert`);
  }
  if (resume !== undefined && !evaluate) {
    throw new UsageError("Cannot use --resume without --evaluate: a classifier is fitted in one go");
  }
}
