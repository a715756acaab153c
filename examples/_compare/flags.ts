import { parseFlags } from "../../src/cli/mod.ts";
import { RECIPE_FLAGS } from "../_quickstart/flags.ts";
import { RECIPE } from "../_quickstart/recipe.ts";
import { ARM_SETS } from "./arms.ts";

/** Settings of the comparison. */
export type CompareFlags = NonNullable<ReturnType<typeof parseCompare>>;

/** The options of a comparison. */
const FLAGS = {
  seeds: { type: "integer", default: 5, min: 1, help: "seeds of each arm" },
  first_seed: { type: "integer", default: 0, min: 0, help: "the first of them; the others follow" },
  arms: { type: "string", default: "main", choices: ARM_SETS, help: "what is compared beside the main arms" },
  on: {
    type: "string",
    default: "test",
    choices: ["test", "validation"],
    help: "emoji that are looked at; choose settings on validation",
  },
  epochs: {
    type: "integer",
    default: RECIPE.epochs,
    min: 1,
    help: "passes over the training images, for each run",
  },
  ...RECIPE_FLAGS,
  readme: {
    type: "boolean",
    default: false,
    help: "write the table into docs/results.md, that of the main arms into README.md too",
  },
  save_dir: { type: "string", default: "runs/compare_priors", help: "where results and report.html go" },
} as const;

/** Reads the command line of `compare_methods.ts`; null after `--help`. */
export function parseCompareMethods(args: readonly string[]): CompareFlags | null {
  const { arms: _, ...flags } = FLAGS;
  const values = parseFlags(args, {
    usage: "deno run -A examples/compare_methods.ts [options]",
    about:
      "Compares decoupled uniformity, with and without a prior, with the methods of --method, each with its usual " +
      "temperature and heads of one size, by one protocol, on emoji (--db NAME: on a data set; --db NAME --help lists " +
      "its options). Goes on where it was ended.",
    example: "deno run -A examples/compare_methods.ts --seeds 3",
    flags: {
      ...flags,
      readme: { ...flags.readme, help: "write the leaderboard into docs/results.md" },
      save_dir: { ...flags.save_dir, default: "runs/compare_methods" },
    },
  });
  return values && { ...values, arms: "methods" };
}

/** Reads the command line; null after `--help`. */
export function parseCompare(args: readonly string[]) {
  return parseFlags(args, {
    usage: "deno run -A examples/compare_priors.ts [options]",
    about: "Compares no prior, a prior and the same prior shuffled, over several seeds, on emoji of two vendors. " +
      "Goes on where it was ended: runs whose results are in the folder are not repeated.",
    example: "deno run -A examples/compare_priors.ts --seeds 3 --epochs 6 --width 8",
    flags: FLAGS,
  });
}
