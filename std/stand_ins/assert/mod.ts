/**
 * Stand-in for `@std/assert` on networks without JSR: what this repository uses of it, over `node:assert` and `node:util`.
 *
 * @module
 */
export { assertRejects, assertThrows } from "./errors.ts";
export { assertAlmostEquals, assertEquals, assertNotEquals, assertStrictEquals } from "./equality.ts";
export { assert, assertGreater, assertInstanceOf, assertLess, assertMatch, assertStringIncludes } from "./truth.ts";
