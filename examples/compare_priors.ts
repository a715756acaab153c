/**
 * Does the prior help? Trains on emoji without a prior, with their keywords, and with the keywords shuffled among the
 * images (a control), several seeds each, and evaluates what was learnt: a table with paired intervals, and a picture.
 *
 *     deno run -A examples/compare_priors.ts [--arms kernels] [--on validation] [--readme] [--help]
 */
import { runMain } from "../src/cli/mod.ts";
import { parseCompare } from "./_compare/flags.ts";
import { runCompare } from "./_compare/run.ts";

await runMain(async (args) => {
  const flags = parseCompare(args);
  if (flags) Deno.exit(await runCompare(flags));
});
