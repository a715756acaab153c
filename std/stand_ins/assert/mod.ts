/**
 * Stand-in for `@std/assert` on networks without JSR: the same names and signatures, over `node:assert` and `node:util`.
 *
 * @module
 */
export { AssertionError, fail, unimplemented, unreachable } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export * from "./errors.ts";
export {
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertNotEquals,
  assertNotStrictEquals,
  assertObjectMatch,
  assertStrictEquals,
} from "./equality.ts";
export * from "./truth.ts";
