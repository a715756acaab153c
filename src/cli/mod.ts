/**
 * What the example programs share: flags and progress.
 *
 * @module
 */
export { type Flag, type FlagValue, type FlagValues, helpText, parseFlags, type Program, UsageError } from "./flags.ts";
export { runMain } from "./main.ts";
export { formatDuration, formatLine, type Progress, ProgressDisplay } from "./progress.ts";
