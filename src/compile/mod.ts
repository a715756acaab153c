/**
 * Recording of a training step, and its replay.
 *
 * @module
 */
export { compile, type Compiled, type CompileOptions } from "./compile.ts";
export type { StepArgument, StepResult } from "./types.ts";
