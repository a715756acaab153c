/**
 * Command lines of the example programs: flags, progress, and their main functions.
 *
 * @module
 */
export type { Flag } from "./arguments.ts";
export { type CommandLine, type FlagValue, type FlagValues, helpText, parseFlags, UsageError } from "./flags.ts";
export {
  ALL_DATASET_FLAGS,
  checkDatasetFlags,
  DATASET_FLAGS,
  loadPublished,
  type PublishedName,
  type PublishedOptions,
} from "./dataset_flags.ts";
export { loadCustom } from "./custom_data.ts";
export { runMain } from "./main.ts";
export { formatDuration, formatLine, type Progress, ProgressDisplay } from "./progress.ts";
export { JobDisplay } from "./job_display.ts";
export { parsePretrain, type PretrainFlags, type PretrainValues } from "./pretrain_flags.ts";
export { withoutEffect } from "./original_flags.ts";
export type { TableSettings } from "./setting_flags.ts";
export { linearMain } from "./linear_main.ts";
export { pretrainMain } from "./pretrain_main.ts";
export { type StopOptions, StopSignals } from "./stop_signals.ts";
export type { LoadOptions, PretrainProgram, PretrainRecipe } from "./pretrain_program.ts";
