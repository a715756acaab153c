/**
 * Which method learns what? Trains by decoupled uniformity, with and without a prior, and by the methods that its paper is
 * set beside (docs/methods.md), several seeds each, and evaluates all alike: a table with paired intervals, and a picture.
 * On emoji, or on a data set with `--db`, by its own program and `linear_eval.ts`.
 *
 *     deno run -A examples/compare_methods.ts [--seeds 3] [--epochs 8] [--on validation] [--help]
 *     deno run -A examples/compare_methods.ts --db cub200 --root data/cub200 [--methods simclr,yaware] [--help]
 */
import { runMain } from "../src/cli/mod.ts";
import { parseCompareMethods } from "./_compare/flags.ts";
import { runCompare } from "./_compare/run.ts";
import { parseCompareData } from "./_compare_data/flags.ts";
import { runCompareData } from "./_compare_data/run.ts";

await runMain(async (args) => {
  if (args.some((arg) => /^--db(=|$)/.test(arg))) {
    const flags = parseCompareData(args);
    if (flags) Deno.exit(await runCompareData(flags));
    return;
  }
  const flags = parseCompareMethods(args);
  if (flags) Deno.exit(await runCompare(flags));
});
