/**
 * Learns from emoji of two vendors, once without and once with their keywords as the prior, and shows what was learnt.
 *
 *     deno run -A examples/quickstart.ts [--minutes 4] [--prior cosine] [--help]
 */
import { runMain } from "../src/cli/mod.ts";
import { parseQuickstart } from "./_quickstart/flags.ts";
import { runQuickstart } from "./_quickstart/run.ts";

await runMain(async (args) => {
  const flags = parseQuickstart(args);
  if (flags) Deno.exit(await runQuickstart(flags));
});
