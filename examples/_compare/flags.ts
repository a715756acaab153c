import { parseFlags } from "../../src/cli/mod.ts";

/** Settings of the comparison. */
export type CompareFlags = NonNullable<ReturnType<typeof parseCompare>>;

/** Reads the command line; null after `--help`. */
export function parseCompare(args: readonly string[]) {
  return parseFlags(args, {
    usage: "deno run -A examples/compare_priors.ts [options]",
    about: "Compares no prior, a prior and the same prior shuffled, over several seeds, on emoji of two vendors.",
    example: "deno run -A examples/compare_priors.ts --seeds 3 --epochs 6 --width 8",
    flags: {
      seeds: { type: "integer", default: 3, min: 2, help: "seeds of each arm: 0, 1, …" },
      epochs: { type: "integer", default: 10, min: 1, help: "passes over the 3,050 training images, for each run" },
      width: { type: "integer", default: 16, min: 1, help: "channels of the first stage; the others have 2x and 4x" },
      batch_size: { type: "integer", default: 256, min: 2, help: "samples of a step" },
      lr: { type: "number", default: 0.3, min: 0, help: "learning rate at the start of the cosine" },
      sigma: { type: "number", default: 1, min: 1e-6, help: "width of the RBF kernel on the keywords" },
      save_dir: { type: "string", default: "runs/compare_priors", help: "where results.json and report.html go" },
    },
  });
}
