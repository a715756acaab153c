import { parseDecimal } from "../formats/internal.ts";
import { thoseWithPrior } from "../methods/internal.ts";
import { type MethodName, METHODS } from "../methods/mod.ts";
import type { Flag } from "./arguments.ts";
import { UsageError } from "./flags.ts";
import { isGiven } from "./original_flags.ts";

/** Values of the flags of prior and kernel. */
export interface PriorValues {
  /** File of the prior. */
  readonly prior: string | undefined;
  /** Columns of the prior, with commas. */
  readonly prior_columns: string | undefined;
  /** Whether the data set's attributes or features are the prior. */
  readonly weaklabels: boolean;
  /** Method that is learnt by. */
  readonly method: MethodName;
  /** Similarity of priors, or `none`. */
  readonly kernel: string;
  /** Width of the RBF kernel, or `median`. */
  readonly sigma: string | undefined;
}

/** Makes the flags of the prior. */
export function priorFlags(weaklabels: boolean | undefined) {
  const group = "Model and loss";
  return {
    weaklabels: { type: "boolean", default: weaklabels ?? false, help: weakHelp(weaklabels), group },
    prior: { type: "string", help: "file of the prior, one row an image: .npz, .npy, .safetensors or .csv", group },
    prior_columns: {
      type: "string",
      help: "columns of a .csv that are the prior, with commas (default: attr_val…, or all but names and labels)",
      group,
    },
  } as const satisfies Record<string, Flag>;
}

function weakHelp(weaklabels: boolean | undefined): string {
  return `use the data set's attributes or features as prior${weaklabels ? " (default true; --no-weaklabels)" : ""}`;
}

/** The width that `--sigma` says; null for the median. */
export function widthOf(sigma: string): number | null {
  if (sigma === "median") return null;
  const value = parseDecimal(sigma);
  if (value !== null && value >= 1e-30 && Number.isFinite(Math.fround(value))) return value;
  throw new UsageError(`Cannot read --sigma as it must be a number from 1e-30 to 3.4e38, or median: got "${sigma}"`);
}

/** Tells whether a prior is wanted; a kernel without one, or one without a kernel, is a mistake that must not pass. */
export function checkPriorFlags(args: readonly string[], values: PriorValues): boolean {
  const { kernel, sigma, prior, prior_columns, weaklabels, method } = values;
  const use = METHODS[method].prior;
  if (use === "none" || use === "classes") return checkWithoutKernel(args, values, use);
  if (use === "kernel" && kernel === "none") {
    throw new UsageError(
      `Cannot use --method ${method} without a prior and its kernel: give --weaklabels or --prior FILE, and --kernel rbf ` +
        "and --sigma or --kernel cosine",
    );
  }
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

/** Tells whether a prior is wanted by a method that takes none, or takes its rows as classes. */
function checkWithoutKernel(args: readonly string[], values: PriorValues, use: "none" | "classes"): boolean {
  const { method, prior, weaklabels } = values;
  const asksKernel = isGiven(args, "kernel") && values.kernel !== "none";
  if (use === "none") {
    const asked = prior !== undefined ? "prior" : isGiven(args, "weaklabels") && weaklabels ? "weaklabels" : "kernel";
    if (asked === "kernel" && !asksKernel) return false;
    throw new UsageError(`Cannot use --${asked} with --method ${method} as it takes no prior: ${thoseWithPrior()}`);
  }
  if (asksKernel) {
    throw new UsageError(`Cannot use --kernel with --method ${method} as its prior is classes: give --prior alone`);
  }
  if (prior === undefined && !weaklabels) {
    throw new UsageError(`Cannot use --method ${method} without a prior: give --weaklabels or --prior FILE`);
  }
  return true;
}
