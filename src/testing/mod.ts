/**
 * Helpers of the library's own tests, for tests of your own ops.
 *
 * @module
 */
export { assertClose, type CloseOptions } from "./close.ts";
export { findNonFinite, type NonFinite } from "./find_non_finite.ts";
export { gradcheck, type GradcheckOptions } from "./gradcheck.ts";
export { TOLERANCE } from "./tolerance.ts";
