/**
 * Which method learns what? Trains on emoji by decoupled uniformity, with and without a prior, and by the methods that its
 * paper is set beside (docs/methods.md), several seeds each, and evaluates all alike: a table with paired intervals, and a
 * picture.
 *
 *     deno run -A examples/compare_methods.ts [--seeds 3] [--epochs 8] [--on validation] [--help]
 */
import { runMain } from "../src/cli/mod.ts";
import { parseCompareMethods } from "./_compare/flags.ts";
import { runCompare } from "./_compare/run.ts";

await runMain(async (args) => {
  const flags = parseCompareMethods(args);
  if (flags) Deno.exit(await runCompare(flags));
});
