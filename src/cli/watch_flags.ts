import type { Flag } from "./arguments.ts";
import { UsageError } from "./flags.ts";
import { isGiven } from "./original_flags.ts";

/** The flags of a live report, in the group of flags that a program has them in. */
export function watchFlags(group: string) {
  return {
    watch: { type: "boolean", help: "serve the report on this machine while it runs; it follows the run", group },
    watch_port: { type: "integer", default: 0, min: 0, max: 65535, help: "port of --watch; 0: a free one", group },
  } as const satisfies Record<string, Flag>;
}

/**
 * Checks that a port belongs to something that is served.
 *
 * @throws {UsageError} If it does not.
 */
export function checkWatch(args: readonly string[], { watch }: { readonly watch: boolean }): void {
  if (isGiven(args, "watch_port") && !watch) {
    throw new UsageError("Cannot use --watch_port without --watch: nothing is served then");
  }
}
