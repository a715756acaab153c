import { printable } from "../formats/internal.ts";
import { abortUnjoined } from "../distributed/mod.ts";
import { UsageError } from "./flags.ts";

/**
 * Runs a program: what it throws is printed as one line, without a stack (`DEBUG=1` shows it), and ends it with status 1,
 * or 2 when the command line was wrong.
 */
export async function runMain(main: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(printable(wantsStack() ? Deno.inspect(error) : `error: ${error.message}`));
    const status = error instanceof UsageError ? 2 : 1;
    abortUnjoined(status);
    Deno.exit(status);
  }
}

/** Whether `DEBUG` is set; not where reading it is not allowed, as then the error itself would be lost. */
function wantsStack(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "DEBUG" });
  return state === "granted" && Boolean(Deno.env.get("DEBUG"));
}
