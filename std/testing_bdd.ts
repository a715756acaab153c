import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/testing@^1/bdd", () => import("./stand_ins/testing/bdd.ts"));
export const after: typeof std.after = std.after;
export const afterAll: typeof std.afterAll = std.afterAll;
export const afterEach: typeof std.afterEach = std.afterEach;
export const before: typeof std.before = std.before;
export const beforeAll: typeof std.beforeAll = std.beforeAll;
export const beforeEach: typeof std.beforeEach = std.beforeEach;
export const describe: typeof std.describe = std.describe;
export const it: typeof std.it = std.it;
export const test: typeof std.test = std.test;
