import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/assert@^1", () => import("./stand_ins/assert/mod.ts"));
export const assert: typeof std.assert = std.assert;
export const assertAlmostEquals: typeof std.assertAlmostEquals = std.assertAlmostEquals;
export const assertEquals: typeof std.assertEquals = std.assertEquals;
export const assertGreater: typeof std.assertGreater = std.assertGreater;
export const assertInstanceOf: typeof std.assertInstanceOf = std.assertInstanceOf;
export const assertLess: typeof std.assertLess = std.assertLess;
export const assertMatch: typeof std.assertMatch = std.assertMatch;
export const assertNotEquals: typeof std.assertNotEquals = std.assertNotEquals;
export const assertRejects: typeof std.assertRejects = std.assertRejects;
export const assertStrictEquals: typeof std.assertStrictEquals = std.assertStrictEquals;
export const assertStringIncludes: typeof std.assertStringIncludes = std.assertStringIncludes;
export const assertThrows: typeof std.assertThrows = std.assertThrows;
