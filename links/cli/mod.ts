/**
 * Stand-in for `@std/cli` on networks without JSR: `parseArgs()` with the same options and results.
 *
 * @module
 */
export * from "./parse_args.ts";
