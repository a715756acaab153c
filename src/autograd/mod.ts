/**
 * Reverse-mode automatic differentiation, for ops that it does not know: the tape, its modes, and mixed precision.
 *
 * @module
 */
export { autocast, type AutocastOptions, autocastSums, fullPrecision, isAutocast, withSums } from "./autocast.ts";
export { backward, type BackwardOptions } from "./backward.ts";
export { checkpoint } from "./checkpoint.ts";
export { defineOp, type OpDefinition, wantsGrad } from "./define_op.ts";
export { detach, requireGrad } from "./detach.ts";
export { isGradEnabled, noGrad } from "./mode.ts";
export { OpContext } from "./op_context.ts";
