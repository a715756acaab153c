import { parseFlags, UsageError } from "../../src/cli/mod.ts";
import { type MethodName, METHODS } from "../../src/methods/mod.ts";

/** Data sets that methods are compared on, beside the emoji: those that have a pre-training program. */
export const DATA_SETS = ["cifar10", "cifar100", "imagenet100", "cub200", "utzappos", "chexpert", "custom"] as const;

/** One of {@linkcode DATA_SETS}. */
export type DataSet = (typeof DATA_SETS)[number];

const NAMES = Object.keys(METHODS) as MethodName[];

/** Settings of a comparison on a data set. */
export interface DataFlags {
  readonly db: DataSet;
  readonly root: string | undefined;
  readonly demo: boolean;
  readonly methods: readonly MethodName[];
  readonly seeds: number;
  readonly first_seed: number;
  readonly epochs: number | undefined;
  readonly prior: string | undefined;
  readonly kernel: string | undefined;
  readonly sigma: string | undefined;
  /** Further arguments of the pre-training program. */
  readonly pretrain: readonly string[];
  /** Further arguments of `linear_eval.ts`. */
  readonly evaluate: readonly string[];
  readonly save_dir: string;
}

const FLAGS = {
  db: { type: "string", choices: DATA_SETS, help: "data set, by its pre-training program; without: the emoji" },
  root: { type: "string", help: "folder of the data set (default: that of the program)" },
  demo: { type: "boolean", help: "try it on a small set made of emoji images, written in this layout" },
  methods: { type: "string", help: "methods, with commas (default: all that the data set has a prior for)" },
  seeds: { type: "integer", default: 3, min: 1, help: "seeds of each method" },
  first_seed: { type: "integer", default: 0, min: 0, help: "the first of them; the others follow" },
  epochs: { type: "integer", min: 1, help: "passes over the training images (default: the program's)" },
  prior: { type: "string", help: "file of the prior, for the methods that take one (default: the data set's own)" },
  kernel: { type: "string", help: "similarity of priors (default: the program's)" },
  sigma: { type: "string", help: "width of the RBF kernel, or median (default: the program's)" },
  pretrain: { type: "string", help: 'further flags of the program: --pretrain="--network resnet18"' },
  evaluate: { type: "string", help: 'further flags of linear_eval.ts: --evaluate="--feature pooled"' },
  save_dir: { type: "string", help: "where runs, results and report.html go (default runs/compare_DB)" },
} as const;

/** Reads the command line of `compare_methods.ts --db NAME`; null after `--help`. */
export function parseCompareData(args: readonly string[]): DataFlags | null {
  const values = parseFlags(args, {
    usage: "deno run -A examples/compare_methods.ts --db DB [options]",
    about:
      "Trains on a data set by each method with its program, several seeds each, evaluates all by linear_eval.ts, and " +
      "tabulates them. Goes on where it was ended.",
    example: "deno run -A examples/compare_methods.ts --db cub200 --methods simclr,byol,yaware --epochs 100",
    flags: FLAGS,
  });
  if (values === null) return null;
  const db = values.db as DataSet;
  const words = (text = "") => text.split(/\s+/).filter((word) => word !== "");
  return {
    ...values,
    db,
    methods: methodsOf(values.methods),
    pretrain: words(values.pretrain),
    evaluate: words(values.evaluate),
    save_dir: values.save_dir ?? `runs/compare_${values.demo ? "demo_" : ""}${db}`,
  };
}

function methodsOf(list: string | undefined): readonly MethodName[] {
  if (list === undefined) return NAMES;
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(NAMES as string[]).includes(name));
  if (unknown === undefined) return names as MethodName[];
  throw new UsageError(`Cannot read --methods as each must be one of ${NAMES.join(", ")}: got "${unknown}"`);
}
