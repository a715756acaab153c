import { parseDecimal } from "../formats/internal.ts";
import { NETWORKS } from "../train/mod.ts";
import { type Flag, UsageError } from "./flags.ts";
import type { PretrainProgram } from "./pretrain_program.ts";

/** Flags of network, prior, kernel and loss. */
export function modelFlags({ network, kernel, sigma, weaklabels }: PretrainProgram["recipe"]) {
  const group = "Model and loss";
  return {
    network: { type: "string", default: network, choices: NETWORKS, alias: "n", help: "network", group },
    n_views: { type: "integer", default: 2, min: 1, help: "views of an image", group },
    weaklabels: { type: "boolean", default: weaklabels ?? false, help: weakHelp(weaklabels), group },
    prior: { type: "string", help: "file of the prior, one row an image: .npz, .npy, .safetensors or .csv", group },
    prior_columns: {
      type: "string",
      help: "columns of a .csv that are the prior, with commas (default: attr_val…, or all but names and labels)",
      group,
    },
    kernel: {
      type: "string",
      default: kernel ?? "none",
      choices: ["rbf", "cosine", "linear", "none"],
      help: "similarity of priors",
      group,
    },
    sigma: {
      type: "string",
      default: sigma === undefined ? undefined : `${sigma}`,
      help: "width of the RBF kernel, in units of the prior; median: the median distance of two priors",
      group,
    },
    lambda: {
      type: "number",
      default: 0.01,
      min: 0,
      help: "ridge of the centroid weights; 0 means 1/sqrt(batch)",
      group,
    },
    t: { type: "number", default: 2, min: 1e-30, help: "inverse squared distance of the loss", group },
  } as const satisfies Record<string, Flag>;
}

function weakHelp(weaklabels: boolean | undefined): string {
  return `use the data set's attributes or features as prior${weaklabels ? " (default true; --no-weaklabels)" : ""}`;
}

/** The width that `--sigma` says; null for the median. */
export function widthOf(sigma: string): number | null {
  if (sigma === "median") return null;
  const value = parseDecimal(sigma);
  if (value !== null && value >= 1e-30) return value;
  throw new UsageError(`Cannot read --sigma as it must be a number > 0 or median: got "${sigma}"`);
}
