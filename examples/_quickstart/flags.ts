import { parseFlags } from "../../src/cli/mod.ts";

/** Settings of the quickstart. */
export type QuickstartFlags = NonNullable<ReturnType<typeof parseQuickstart>>;

/** Reads the command line; null after `--help`. */
export function parseQuickstart(args: readonly string[]) {
  return parseFlags(args, {
    usage: "deno run -A examples/quickstart.ts [options]",
    about: "Learns from emoji of two vendors, without and with their keywords, and writes report.html.",
    example: "deno run -A examples/quickstart.ts --epochs 20 --width 16",
    flags: {
      epochs: { type: "integer", default: 20, min: 1, help: "passes over the 3,050 training images, for each run" },
      width: { type: "integer", default: 16, min: 1, help: "channels of the first stage; the others have 2x and 4x" },
      batch_size: { type: "integer", default: 256, min: 2, help: "samples of a step" },
      lr: { type: "number", default: 0.3, min: 0, help: "learning rate at the start of the cosine" },
      sigma: { type: "number", default: 1, min: 1e-6, help: "width of the RBF kernel on the keywords" },
      seed: { type: "integer", default: 0, min: 0, help: "weights, order and augmentation" },
      save_dir: { type: "string", default: "runs/quickstart", help: "where report.html and results.json go" },
    },
  });
}
