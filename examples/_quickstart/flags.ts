import { parseFlags } from "../../src/cli/mod.ts";
import { type PriorName, PRIORS, RECIPE, type Recipe } from "./recipe.ts";

/** Settings of the quickstart. */
export type QuickstartFlags = NonNullable<ReturnType<typeof parseQuickstart>>;

/** The options that change a recipe, but for its length. */
export const RECIPE_FLAGS = {
  width: {
    type: "integer",
    default: RECIPE.width,
    min: 1,
    help: "channels of the first stage; the others have 2x and 4x",
  },
  batch_size: { type: "integer", default: RECIPE.batchSize, min: 2, help: "samples of a step" },
  lr: {
    type: "number",
    default: RECIPE.lr,
    min: 0,
    help: "learning rate at the start of the cosine, for a batch of 256",
  },
  ridge: { type: "number", default: RECIPE.ridge, min: 0, help: "λ of the centroid weights" },
  prior: { type: "string", default: RECIPE.prior as string, choices: PRIORS, help: "the kernel on the keywords" },
} as const;

/** Reads the command line; null after `--help`. */
export function parseQuickstart(args: readonly string[]) {
  return parseFlags(args, {
    usage: "deno run -A examples/quickstart.ts [options]",
    about: "Learns from emoji of two vendors, without and with their keywords, and writes report.html.",
    example: "deno run -A examples/quickstart.ts --minutes 10",
    flags: {
      minutes: { type: "number", min: 0.1, help: "time to take; chooses the epochs instead of --epochs" },
      epochs: {
        type: "integer",
        default: RECIPE.epochs,
        min: 1,
        help: "passes over the 3,050 training images, for each run",
      },
      ...RECIPE_FLAGS,
      seed: { type: "integer", default: 0, min: 0, help: "weights, order and augmentation" },
      save_dir: { type: "string", default: "runs/quickstart", help: "where report.html and results.json go" },
    },
  });
}

/** The recipe that flags ask for. */
export function recipeOf(
  { epochs, width, batch_size, lr, ridge, prior }: Omit<QuickstartFlags, "minutes" | "seed" | "save_dir">,
): Recipe {
  return { version: RECIPE.version, epochs, width, batchSize: batch_size, lr, ridge, prior: prior as PriorName };
}
