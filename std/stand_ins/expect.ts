/**
 * Stand-in for `@std/expect` on networks without JSR: npm's `expect` and the `fn` of npm's `jest-mock`, which it follows.
 *
 * @module
 */
export { expect } from "npm:expect@30.5.2";
export { fn } from "npm:jest-mock@30.5.2";
