/**
 * Checks that the results of docs/results.md can be had here: runs one short line of the benchmark again and fails when
 * a number leaves the interval that the page gives.
 *
 *     deno task results --check      # about half a minute on two cores
 *     deno task results --record     # writes the line that was run into the page
 */
import { Device } from "../mod.ts";
import { runMain } from "../src/cli/mod.ts";
import { checkLine, recordLine } from "../examples/_compare/short_line.ts";

const USAGE = "Usage: deno task results --check | --record";

await runMain(async (args) => {
  if (args.length !== 1 || !["--check", "--record"].includes(args[0]!)) {
    console.error(USAGE);
    Deno.exit(2);
  }
  await using _device = await Device.open();
  const page = new URL("../docs/results.md", import.meta.url);
  if (args[0] === "--record") return await recordLine(page);
  const wrong = await checkLine(page);
  for (const each of wrong) console.error(each);
  if (wrong.length > 0) Deno.exit(1);
});
